import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readVenue } from '../../protocol/venue.ts'
import type { Venue, VenueFile } from '../../protocol/venue.ts'
import type { Arguments } from '../arguments.ts'
import { Declined, UsageFault } from '../fault.ts'
import type { Place } from '../place.ts'
import { venueOf } from './ground.ts'

type Listed = VenueFile['assets'][number]
type Market = VenueFile['markets'][number]

/** A venue file that is being changed: it stays as it was unless what comes out is one that a process would start with. */
export class VenueDraft {
  readonly venue: Venue
  readonly #file: string
  readonly #before: VenueFile

  private constructor(file: string, venue: Venue) {
    this.#file = file
    this.venue = venue
    this.#before = JSON.parse(readFileSync(file, 'utf8')) as VenueFile
  }

  /** @throws UsageFault where there is no such file, or it is none that can be written */
  static open(options: Arguments['options'], place: Place): VenueDraft {
    if (options.venue?.startsWith('env:') === true) throw new UsageFault(`--venue ${options.venue} is no file: what is in the environment cannot be written`)
    const venue = venueOf(options, place)
    return new VenueDraft(options.venue ?? join(place.state, 'venue.json'), venue)
  }

  get file(): string {
    return this.#file
  }

  /** Lists an admitted asset, and says what was done. */
  addAsset(asset: Listed): string {
    const known = this.#before.assets.find(({ contract }) => contract === asset.contract)
    if (known !== undefined) return `${this.#file} lists it already, as ${known.code}`
    const after = { ...this.#before, assets: [...this.#before.assets, asset] }
    this.#write(after)
    return `${this.#file}:\n${difference(this.#before, after)}`
  }

  /** What adding a market changes. @throws Declined where no process would start with it */
  withMarket(market: Market): { readonly difference: string; readonly write: () => void } {
    return this.with({ markets: [...this.#before.markets, market] })
  }

  /** What other members change. @throws Declined where no process would start with them */
  with(members: Partial<VenueFile>): { readonly difference: string; readonly write: () => void } {
    const after = { ...this.#before, ...members }
    checked(after)
    return { difference: difference(this.#before, after), write: () => this.#write(after) }
  }

  /** In one stroke: who reads the file meanwhile reads the one or the other. */
  #write(after: VenueFile): void {
    checked(after)
    const fresh = `${this.#file}.new`
    writeFileSync(fresh, `${JSON.stringify(after, null, 2)}\n`, { mode: statSync(this.#file).mode, flush: true })
    renameSync(fresh, this.#file)
  }
}

function checked(file: VenueFile): void {
  try {
    readVenue(file)
  } catch (error) {
    throw new Declined((error as Error).message, error)
  }
}

const CONTEXT = 2

/** Lines that are added, marked, with those around them: what was there stays. */
function difference(before: VenueFile, after: VenueFile): string {
  const [old, now] = [before, after].map((file) => JSON.stringify(file, null, 2).split('\n')) as [string[], string[]]
  let same = 0
  while (same < old.length && old[same] === now[same]) same++
  let rest = 0
  while (rest < old.length - same && old[old.length - 1 - rest] === now[now.length - 1 - rest]) rest++
  return [
    ...now.slice(Math.max(0, same - CONTEXT), same).map((line) => `  ${line}`),
    ...old.slice(same, old.length - rest).map((line) => `- ${line}`),
    ...now.slice(same, now.length - rest).map((line) => `+ ${line}`),
    ...now.slice(now.length - rest, now.length - rest + CONTEXT).map((line) => `  ${line}`),
  ].join('\n')
}

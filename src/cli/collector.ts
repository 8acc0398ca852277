import { readNodes } from '../actors/placement/keys.ts'
import { orAborted } from '../client/aborted.ts'
import type { Asked } from '../monitoring/collected.ts'
import type { Readings } from '../monitoring/meters.ts'
import type { DeskPlacement } from '../protocol/operator.ts'
import type { DeskLink } from './deskLink.ts'
import { Declined, Unanswered } from './fault.ts'

/** How long gateways are listened to, and a shard has to answer: together well within the 10 seconds that Prometheus waits. */
const GATEWAYS_MS = 3_000
const ANSWER_MS = 3_500
/** How long who reads waits for a connection; whoever reads next may find it made. */
const OPEN_MS = 2_500
/** Nodes that are remembered. */
const NODES = 256

/** The name under which it is shown whether enough gateways answer. */
export const GATEWAYS = 'gateways'

/** Asks every process of a venue for its metrics, again and again: over a new connection where one is of no use any more. */
export class Collector {
  readonly #open: () => Promise<DeskLink>
  readonly #gateways: number
  readonly #say: (text: string) => void
  /** One that has been seen and does not answer is down, until somebody says otherwise by starting this anew. */
  readonly #nodes = new Set<string>()
  #desk: Promise<DeskLink> | null = null
  #said = ''

  /** @param gateways so many should answer @param say told what keeps it from asking, once each time it is something else */
  constructor(open: () => Promise<DeskLink>, gateways: number, say: (text: string) => void) {
    this.#open = open
    this.#gateways = gateways
    this.#say = say
  }

  /** Connects. @throws what `open` does */
  async start(): Promise<void> {
    await this.#link()
  }

  /** Every process, with what it shows: never throws for what the venue does. */
  async read(): Promise<readonly Asked[]> {
    let desk: DeskLink
    try {
      // One that is still being made is waited for by whoever reads next.
      desk = await orAborted(this.#link(), AbortSignal.timeout(OPEN_MS))
    } catch (error) {
      return this.#away((error as Error).message)
    }
    try {
      const [gateways] = await Promise.all([desk.gateways(GATEWAYS_MS), this.#see(desk)])
      const shards = await Promise.all([...this.#nodes].map(async (node) => ({ instance: shardOf(node), readings: await this.#shard(desk, node) })))
      const enough = gateways.length >= this.#gateways
      this.#tell(enough ? '' : `${gateways.length} of ${this.#gateways} gateways answer`)
      return [{ instance: GATEWAYS, readings: enough ? [] : null }, ...gateways.map(({ gateway, readings }) => ({ instance: gateway, readings })), ...shards]
    } catch (error) {
      await this.close()
      return this.#away((error as Error).message)
    }
  }

  async close(): Promise<void> {
    const link = this.#desk
    this.#desk = null
    await (await link?.catch(() => null))?.close()
  }

  #link(): Promise<DeskLink> {
    const link = (this.#desk ??= this.#open())
    link.catch(() => {
      if (this.#desk === link) this.#desk = null
    })
    return link
  }

  /** Learns of nodes that are there. @throws Unanswered, Declined */
  async #see(desk: DeskLink): Promise<void> {
    for (const { node } of readNodes(new Map(await desk.ask<DeskPlacement>('the venue', { kind: 'placement' }, ANSWER_MS)))) if (this.#nodes.size < NODES) this.#nodes.add(node)
  }

  /** null where it does not answer, or is refused. */
  async #shard(desk: DeskLink, node: string): Promise<readonly Readings[] | null> {
    try {
      return await desk.ask(`the shard of node ${node}`, { kind: 'shardMetrics', node }, ANSWER_MS)
    } catch (error) {
      if (error instanceof Unanswered || error instanceof Declined) return null
      throw error
    }
  }

  #away(why: string): readonly Asked[] {
    this.#tell(why)
    return [GATEWAYS, ...[...this.#nodes].map(shardOf)].map((instance) => ({ instance, readings: null }))
  }

  #tell(what: string): void {
    if (what !== this.#said && what !== '') this.#say(what)
    this.#said = what
  }
}

const shardOf = (node: string): string => `shard-${node}`

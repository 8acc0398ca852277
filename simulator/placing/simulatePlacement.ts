import { leaseKey, pinKey, readHolder } from '../../src/actors/placement/keys.ts'
import { ownerOf } from '../../src/actors/placement/rendezvous.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import { Host } from '../host.ts'
import { Random } from '../random.ts'
import { BEGIN_us, Scheduler } from '../scheduler.ts'
import { Trace } from '../trace.ts'
import { Verdict } from '../violation.ts'
import type { Violation } from '../violation.ts'
import { Bucket } from './bucket.ts'
import { Journals } from './journals.ts'
import { Node } from './node.ts'

const NAMES = ['a', 'b', 'c'] as const
const ACTORS = ['vault.0', 'vault.1', 'pair.XLM-USDC', 'pair.EURC-USDC', 'settlement.0', 'watcher.0'] as ActorName[]
const TROUBLED_us = 60_000_000
/** How long it may take until everything is in its place once nothing goes wrong. */
const REST_us = 60_000_000
const LOOK_us = 100_000
/**
 * What a pause or a call without an answer leads to may show so much later, also where everything seems to be in its place at first: a call is waited for (2 s), its node
 * is missed (1.5 s), a lease lapses (3 s), the actor ends there and starts here (1.2 s).
 */
const AFTERMATH_us = 8_000_000
const STAYS_us = 20_000_000
const PAUSE_us = { least: 100_000, most: 12_000_000 }
const AWAY_us = { least: 100_000, most: 8_000_000 }
const BACK_us = { least: 100_000, most: 6_000_000 }

export interface PlacementResult {
  readonly violation: Violation | null
  /** Equal for two runs in which the same happened. */
  readonly hash: string
  /** What was done to nodes and bucket, by name. */
  readonly faults: ReadonlyMap<string, number>
  /** Appends of owners that had been replaced. */
  readonly refused: number
  /** Owners that all journals have had. */
  readonly owners: number
  /** Simulated time from the last fault until everything was in its place. */
  readonly rested_ms: number
}

/**
 * Nodes that share a venue's actors, by the real placement and its leases, on simulated time: nodes die, are held up past their leases and wake up, leave, come
 * back, are started twice; their bucket is away, loses calls and answers, tells what was. Whatever happens each epoch of a journal has one owner; and
 * once nothing goes wrong, every actor runs once, where it belongs.
 */
export async function simulatePlacement(seed: number, believesLease = false): Promise<PlacementResult> {
  const trace = new Trace(BEGIN_us)
  const scheduler = new Scheduler(trace)
  const random = new Random(`placement ${seed}`)
  const verdict = new Verdict()
  const rate = (...rates: readonly number[]): number => (random.chance(0.4) ? 0 : random.pick(rates))
  const bucket = new Bucket(scheduler, random.fork('bucket'), { requestLost: rate(0.005, 0.05), answerLost: rate(0.005, 0.05), slow: rate(0.01, 0.1), stale: rate(0.05, 0.5) })
  const journals = new Journals(verdict)
  const faults = new Map<string, number>()
  let nodes: Node[] = []
  let hosts = 0
  let troubled = true

  const start = (name: string): void => {
    const host = new Host(`${name}#${++hosts}`, hosts, 0, scheduler, (died) => {
      nodes = nodes.filter((node) => node.host !== died)
      scheduler.after(random.between(BACK_us.least, BACK_us.most), 'node starts', name, () => {
        if (!nodes.some((node) => node.name === name)) start(name)
      })
    })
    nodes.push(new Node({ name, host, actors: ACTORS, bucket, journals, random: random.fork(host.name), verdict, believesLease }))
  }
  for (const name of NAMES) start(name)

  const doings: Readonly<Record<string, () => void>> = {
    dies: () => random.pick(nodes).host.die(),
    'dies at a call': () => random.pick(nodes).host.dieAfter(random.between(1, 6)),
    'is held up': () => {
      const { host } = random.pick(nodes)
      if (host.paused) return
      host.pause()
      scheduler.after(random.between(PAUSE_us.least, PAUSE_us.most), 'wakes up', host.name, () => host.resume())
    },
    leaves: () => random.pick(nodes).leave(),
    'is started twice': () => start(random.pick(nodes).name),
    'is pinned': () => {
      const key = pinKey(random.pick(ACTORS))
      bucket.write(key, random.pick([null, ...NAMES, 'nobody']), bucket.entries.get(key)?.revision ?? 0, null)
    },
    'bucket is away': () => (bucket.awayUntil_us = scheduler.now_us + random.between(AWAY_us.least, AWAY_us.most)),
  }
  for (const [what, act] of Object.entries(doings)) {
    const every_us = random.chance(0.3) ? Infinity : random.pick([2_000_000, 8_000_000, 20_000_000])
    const next = (): void => {
      if (every_us === Infinity) return
      scheduler.after(random.between(0, 2 * every_us), what, 'world', () => {
        if (!troubled) return
        if (nodes.length > 0) {
          faults.set(what, (faults.get(what) ?? 0) + 1)
          act()
        }
        next()
      })
    }
    next()
  }

  const end_us = scheduler.now_us + TROUBLED_us
  await scheduler.run(() => verdict.violation === null && scheduler.now_us < end_us)
  troubled = false
  bucket.faults = { requestLost: 0, answerLost: 0, slow: 0, stale: 0 }
  bucket.awayUntil_us = 0
  for (const { host } of nodes) {
    host.resume()
    host.dieAfter(Infinity)
  }
  const calm_us = scheduler.now_us
  let lookAt_us = calm_us
  let rested = false
  await scheduler.run(() => {
    if (verdict.violation !== null) return false
    if (scheduler.now_us < lookAt_us) return true
    lookAt_us = scheduler.now_us + LOOK_us
    const what = misplaced(nodes, bucket, journals)
    rested = what === null
    if (what !== null && scheduler.now_us > calm_us + REST_us) verdict.broken('everything comes to its place', what)
    return !rested
  })
  const rested_ms = Math.round((scheduler.now_us - calm_us) / 1_000)
  if (verdict.violation === null) {
    // And stays there, once whoever was held up to the last has been missed, replaced and given back its own.
    const settled_us = Math.max(scheduler.now_us, calm_us + AFTERMATH_us)
    await scheduler.run(() => verdict.violation === null && scheduler.now_us < settled_us)
    const before = ACTORS.map((actor) => journals.term(actor)?.epoch)
    const stays_us = scheduler.now_us + STAYS_us
    await scheduler.run(() => verdict.violation === null && scheduler.now_us < stays_us)
    const after = ACTORS.map((actor) => journals.term(actor)?.epoch)
    verdict.holds(misplaced(nodes, bucket, journals) === null, 'everything comes to its place', () => misplaced(nodes, bucket, journals) ?? '')
    verdict.holds(String(before) === String(after), 'what is in its place stays there', () => `epochs were ${before.join(' ')}, and are ${after.join(' ')}`)
  }
  const owners = ACTORS.reduce((sum, actor) => sum + (journals.term(actor)?.epoch ?? 0), 0)
  return { violation: verdict.violation, hash: trace.hash, faults, refused: journals.refused, owners, rested_ms }
}

/** What is not where it belongs; null where everything is. */
function misplaced(nodes: readonly Node[], bucket: Bucket, journals: Journals): string | null {
  const { entries } = bucket
  const names = NAMES.filter((name) => nodes.some((node) => node.name === name))
  if (names.length < NAMES.length) return 'a node is not back yet'
  if (nodes.length > names.length) return 'a node runs twice'
  if (nodes.some(({ leaving }) => leaving)) return 'a node is about to leave'
  for (const actor of ACTORS) {
    const home = ownerOf(actor, names, entries.get(pinKey(actor))?.value ?? undefined)
    const at = nodes.filter((node) => node.running.has(actor))
    const [node] = at
    if (node === undefined || at.length !== 1 || node.name !== home) return `${actor} belongs to ${home}, and runs at ${at.map(({ name }) => name).join(', ') || 'none'}`
    const term = journals.term(actor)
    if (node.running.get(actor) !== term?.epoch || term?.owner !== node.host) return `${actor} runs at ${home}, and its journal is another's`
    if (readHolder(entries.get(leaseKey(actor)))?.instance !== node.host.name) return `${actor} runs at ${home}, and its lease is another's`
  }
  return null
}

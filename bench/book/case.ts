// One workload in one book, in a process of its own: `case.ts <workload> ours` or `case.ts <workload> <peer>`. Prints its figures.
import { performance, PerformanceObserver } from 'node:perf_hooks'
import { Book } from '../../src/actors/pair/book/book.ts'
import type { EventReader } from '../../src/actors/pair/book/events.ts'
import { report } from '../report.ts'
import { blankOrder, kind } from './commands.ts'
import { apply } from './ours.ts'
import { nextTick, peers } from './peers.ts'
import type { PeerName } from './peers.ts'
import { rules, workloads } from './workloads.ts'
import type { Workload, WorkloadName } from './workloads.ts'

const RUNS = 5
/** A peer gets as many commands as it can take in this time, the fill included. */
const PEER_ms = 6_000
const [name, engine] = process.argv.slice(2) as [WorkloadName, 'ours' | PeerName]
const workload = workloads[name]()
const { commands, fill, facts } = workload
const figure = (metric: string, value: number, unit: string, more: object = {}): void => report({ bench: 'book', case: name, metric, value, unit, ...more })

/** Sums what it reads, so that nothing of it can be left out. */
class Summing implements EventReader {
  sum = 0
  accepted(id: number, account: number): void {
    this.sum += id + account
  }
  rested(id: number, ticks: number, open: number): void {
    this.sum += id + ticks + open
  }
  filled(maker: number, taker: number, _m: number, _t: number, _s: number, ticks: number, lots: number, makerOpen: number, takerOpen: number): void {
    this.sum += maker + taker + ticks + lots + makerOpen + takerOpen
  }
  reduced(id: number, by: number, open: number): void {
    this.sum += id + by + open
  }
  amended(id: number, ticks: number, open: number): void {
    this.sum += id + ticks + open
  }
  cancelled(id: number, open: number, reason: number): void {
    this.sum += id + open + reason
  }
  expired(id: number, open: number): void {
    this.sum += id + open
  }
  rejected(command: number, id: number): void {
    this.sum += command + id
  }
  controlled(state: number): void {
    this.sum += state
  }
}

function filled(): Book {
  const book = new Book(rules)
  const order = blankOrder()
  for (let at = 0; at < fill; at++) {
    apply(book, commands, at, order)
    book.events.clear()
  }
  return book
}

/** Commands per second with every event written, and where `reader` is given read again after each command. */
function run(reader: EventReader | null): number {
  const book = filled()
  const order = blankOrder()
  const from = performance.now()
  for (let at = fill; at < commands.size; at++) {
    apply(book, commands, at, order)
    if (reader !== null) book.events.read(reader)
    book.events.clear()
  }
  return ((commands.size - fill) / (performance.now() - from)) * 1_000
}

function ours(): void {
  figure('resting orders', facts.resting, 'orders')
  figure('levels', facts.levels, 'levels')
  figure('trades per command', facts.tradesPerCommand, 'trades')
  figure('commands that trade', facts.tradingShare * 100, '%')
  const reader = new Summing()
  const best = (measure: () => number): number => Math.max(...Array.from({ length: RUNS }, measure))
  figure('throughput, events written', best(() => run(null)), 'commands/s')
  figure('throughput, events written and read', best(() => run(reader)), 'commands/s')
  serviceTimes()
  garbage()
  const book = filled()
  const resting = fill > 0 ? book : null
  if (resting !== null && fill >= 1_000_000) figure('memory per resting order', resting.bytes / resting.size, 'bytes')
}

/** Each command timed by itself; the clock's own cost is in every one of them, and is told beside them. */
function serviceTimes(): void {
  const count = commands.size - fill
  const times = new Float64Array(count)
  const book = filled()
  const order = blankOrder()
  for (let at = fill; at < commands.size; at++) {
    const from = performance.now()
    apply(book, commands, at, order)
    times[at - fill] = performance.now() - from
    book.events.clear()
  }
  const clock = new Float64Array(100_000)
  for (let i = 0; i < clock.length; i++) {
    const from = performance.now()
    clock[i] = performance.now() - from
  }
  times.sort()
  clock.sort()
  const at = (share: number): number => times[Math.min(count - 1, Math.floor(count * share))]! * 1e6
  for (const [title, share] of [['p50', 0.5], ['p99', 0.99], ['p99.9', 0.999], ['max', 1]] as const) figure(`service time ${title}`, at(share), 'ns')
  figure('service time of the clock itself p50', clock[clock.length >> 1]! * 1e6, 'ns')
}

/** Heap growth over a run in which nothing was collected: a young generation larger than all that could come is set by the bench. */
function garbage(): void {
  let collections = 0
  const observer = new PerformanceObserver((list) => (collections += list.getEntries().length))
  observer.observe({ entryTypes: ['gc'] })
  const book = filled()
  const order = blankOrder()
  global.gc?.()
  const before = process.memoryUsage().heapUsed
  for (let at = fill; at < commands.size; at++) {
    apply(book, commands, at, order)
    book.events.clear()
  }
  const grown = process.memoryUsage().heapUsed - before
  figure('garbage per command', Math.max(0, grown) / (commands.size - fill), 'bytes')
  observer.disconnect()
  if (collections > 1) figure('collections during that', collections - 1, 'collections')
}

/** The same commands for a peer and, as it has them, for ours, timed apart; and whether the same lots traded at the same commands. */
function against(peerName: PeerName): void {
  const peer = peers[peerName]()
  const traded = new Int32Array(commands.size)
  let at = 0
  const start = performance.now()
  let from = start
  for (; at < commands.size && performance.now() - start < PEER_ms; at++) {
    if (at === fill) from = performance.now()
    traded[at] = peer.apply(commands, at)
  }
  const more = { peer: `${peer.name} ${peer.version}` }
  if (at <= fill) return figure('fill of the book reached in 6 s', at, 'commands', more)
  figure('throughput', ((at - fill) / (performance.now() - from)) * 1_000, 'commands/s', more)
  figure('commands compared', at, 'commands', more)
  figure('fills agree', differs(workload, at, traded, peer.reenters) ? 0 : 1, 'yes/no', more)
}

function differs({ commands }: Workload, count: number, traded: Int32Array, reenters: boolean): boolean {
  const book = new Book(rules)
  const order = blankOrder()
  let lotsTraded = 0
  /** What is filled and what is open of each order. */
  const totals = new Map<number, number>()
  const counting: EventReader = Object.assign(new Summing(), {
    accepted: (id: number, _account: number, _side: number, _ticks: number, lots: number) => void totals.set(id, lots),
    filled: (_maker: number, _taker: number, _m: number, _t: number, _s: number, _ticks: number, lots: number) => {
      lotsTraded += lots
    },
  })
  for (let at = 0; at < count; at++) {
    lotsTraded = 0
    const id = commands.ids[at]!
    const amends = commands.kinds[at] === kind.move || commands.kinds[at] === kind.reduce
    if (reenters && amends) book.amend(id, commands.accounts[at]!, commands.kinds[at] === kind.move ? commands.ticks[at]! : nextTick(commands, at), totals.get(id) ?? 1)
    else apply(book, commands, at, order)
    book.events.read(counting)
    book.events.clear()
    if (lotsTraded !== traded[at]) return true
  }
  return false
}

if (engine === 'ours') ours()
else against(engine)

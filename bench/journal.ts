// `npm run bench:journal`: what one actor makes durable in a second, how long an append takes, how long a new owner needs for a pair with a million
// open orders, and how long a market is away when it moves or its node dies. One JSON line per figure after a line with the machine.
//   --servers URL,URL --user NAME --password TEXT --replicas N   a NATS that runs already (default: one server of our own, then three, sync always)
//   --seconds N      of each commit case (default 3)
//   --orders N       of the recovery case (default 1,000,000; 0 leaves it out)
//   --no-venue       leaves out moves, fail-overs and the throughput of one, two and three shards, which need a whole venue
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { jetstreamManager } from '@nats-io/jetstream'
import { Fault, main } from '../scripts/setup/fault.ts'
import { systemRandom } from '../src/actors/runtime/random.ts'
import { SealedEnvelope } from '../src/actors/runtime/sealedEnvelope.ts'
import { JournalKeys } from '../src/enclave/journalKeys.ts'
import type { ActorName } from '../src/protocol/identity.ts'
import { pairActor } from '../src/protocol/subjects.ts'
import type { Subjects } from '../src/protocol/subjects.ts'
import type { Venue } from '../src/protocol/venue.ts'
import { runCommits } from './journal/commit.ts'
import { fillBook } from './journal/fillBook.ts'
import { benchVenue, MARKET } from './journal/orders.ts'
import type { RecoverOrder, RecoverResult } from './journal/recover.ts'
import { benchVenueOfNodes } from './journal/nodes.ts'
import { openServer } from './journal/server.ts'
import type { BenchServer } from './journal/server.ts'
import { stderrLog } from './journal/stderrLog.ts'
import { machine, report } from './report.ts'

const IN_FLIGHT = [1, 64, 1_024, 16_384] as const

const options = {
  servers: { type: 'string' },
  user: { type: 'string', default: 'darkpool' },
  password: { type: 'string', default: '' },
  replicas: { type: 'string', default: '1' },
  seconds: { type: 'string', default: '3' },
  orders: { type: 'string', default: '1000000' },
  venue: { type: 'boolean', default: true },
} as const

function whole(name: string, text: string): number {
  if (!/^(0|[1-9][0-9]{0,8})$/.test(text)) throw new Fault(`--${name} ${text} is no whole number`)
  return Number(text)
}

await main(async () => {
  const { values } = parseArgs({ options, allowNegative: true })
  const [replicas, seconds, orders] = [whole('replicas', values.replicas), whole('seconds', values.seconds), whole('orders', values.orders)]
  const given = values.servers === undefined ? null : { servers: values.servers.split(','), user: values.user, password: values.password }
  machine()
  for (const copies of given === null ? [1, 3] : [replicas]) {
    // A name of its own, so that a run on servers that are used elsewhere touches nothing of theirs.
    const venue = benchVenue(`bench_${Buffer.from(systemRandom(4)).toString('hex')}`)
    const server = await openServer(venue.subjects, given, copies)
    const place = copies === 1 ? 'one server' : `R${copies}`
    try {
      await commits(server, venue.subjects, place)
      if (orders > 0 && (given !== null || copies === 1)) await recovery(server, venue, place)
    } finally {
      await server.stop()
    }
  }
  if (values.venue && given === null) await benchVenueOfNodes()
  return 0

  async function commits(server: BenchServer, subjects: Subjects, place: string): Promise<void> {
    let actors = 0
    for (const sealed of [false, true]) {
      for (const inFlight of IN_FLIGHT) {
        const found = await runCommits(server, subjects, `bench.${++actors}` as ActorName, { sealed, inFlight, seconds }, stderrLog)
        const name = `${place}, ${sealed ? 'sealed' : 'clear'}, ${inFlight} in flight`
        const figure = (metric: string, value: number, unit: string): void => report({ bench: 'journal', case: name, metric, value, unit })
        figure('durable', found.perSecond, 'events/s')
        figure('batch', found.perRecord, 'events/record')
        figure('commit p50', found.commitP50_ms, 'ms')
        figure('commit p99', found.commitP99_ms, 'ms')
        figure('journal', found.bytesPerEvent, 'bytes/event')
      }
    }
  }

  async function recovery(server: BenchServer, venue: Venue, place: string): Promise<void> {
    const { subjects } = venue
    const secret = systemRandom(32)
    const name = pairActor(MARKET)
    const figure = (metric: string, value: number, unit: string): void => report({ bench: 'journal', case: `${place}, pair with ${orders} open orders`, metric, value, unit })
    const recover = async (what: RecoverOrder['what']): Promise<RecoverResult> => {
      const order: RecoverOrder = { venue: subjects.venue, access: server.access, secret: Buffer.from(secret).toString('hex'), what }
      const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'journal/recover.ts'), JSON.stringify(order)])
      const result = JSON.parse(stdout) as RecoverResult
      if (result.orders !== orders) throw new Error(`${result.orders} orders were recovered, not ${orders}`)
      return result
    }
    const envelope = new SealedEnvelope({ keys: JournalKeys.only(secret), venue: subjects.venue, actor: name, kind: 'record', random: systemRandom })
    const filled = await fillBook(server, venue, envelope, orders, stderrLog)
    figure('orders journaled', orders / filled.elapsed_s, 'orders/s')
    figure('journal', filled.bytes / orders, 'bytes/order')
    figure('recovery by whole replay', (await recover('owner')).elapsed_s, 's')
    figure('snapshot taken beside it, by whole replay', (await recover('snapshot')).elapsed_s, 's')
    const { state } = await (await jetstreamManager(server.connection)).streams.info(subjects.snapshotStream)
    figure('snapshot', state.bytes / orders, 'bytes/order')
    const recovered = await recover('owner')
    if (recovered.restored === 0) throw new Error('it did not begin from the snapshot')
    figure('recovery from the snapshot', recovered.elapsed_s, 's')
  }
})

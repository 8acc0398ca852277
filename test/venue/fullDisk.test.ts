import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import t from 'tap'
import type { Test } from 'tap'
import { natsWithin } from '../../scripts/venue/programs.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import { NeverSent, OutcomeUnknown, Refused } from '../../src/client/errors.ts'
import type { Client } from '../../src/client/client.ts'
import type { SignedRequest } from '../../src/client/messages.ts'
import type { OrderView } from '../../src/protocol/feed.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import { readMetrics, total } from '../monitoring/page.ts'
import { until } from '../settlement/waiting.ts'
import { SmallDisk } from './smallDisk.ts'
import { persist, VenueUnderTest } from './venueUnderTest.ts'

// The venue's memory finds no room any more, while orders come in, and gets room again.

const XLM = 'XLM-USDC'
const PRICE = '0.5'
const LOT = '0.1'
const DISK_bytes = 64 * 1_048_576
/** An operator's bound of the journal stream, beyond what is in it. */
const ROOM_bytes = 16_384

t.setTimeout(900_000)
const state = mkdtempSync(join(tmpdir(), 'darkpool-disk-'))
const disk = await SmallDisk.open(join(state, 'nats'), DISK_bytes)
t.teardown(() => disk?.close())
const under = await VenueUnderTest.start(2, { state, ...(disk !== null && { programs: natsWithin(disk.within) }) })
const { venue } = under
const books = await under.books('alice', 'bob')
const { subjects } = readVenue(venue.venueFile())
t.teardown(async () => {
  await books.close()
  await under.stop()
})

/** One message, sent once and never before, and what was heard of it. */
interface Sent {
  readonly client: Client
  readonly signed: SignedRequest
  readonly heard: OrderView | string
}

/** What one client hears who asks once: the order, the code that says that nothing happened, or that nobody knows. */
async function send(client: Client, signed: SignedRequest): Promise<OrderView | string> {
  try {
    return await client.sendOrder(signed, { retry: false })
  } catch (error) {
    if (error instanceof Refused) return error.code
    if (error instanceof OutcomeUnknown || error instanceof NeverSent) return error.name
    throw error
  }
}

/** Sells and buys the same, one pair of orders after the other, each message sent once: until a whole pair was refused with that code. */
async function tradeUntil(code: string, meanwhile = (_pairs: number): void => undefined): Promise<readonly Sent[]> {
  const sent: Sent[] = []
  await until(`orders are refused with ${code}`, async () => {
    const pair = await Promise.all(
      (['sell', 'buy'] as const).map(async (side) => {
        const client = books.client(side === 'sell' ? 'alice' : 'bob')
        const signed = await client.signOrder(XLM, { side, type: 'limit', price: PRICE, quantity: LOT, timeInForce: 'GTC' })
        return { client, signed, heard: await send(client, signed) }
      }),
    )
    sent.push(...pair)
    meanwhile(sent.length / 2)
    return pair.every(({ heard }) => heard === code)
  })
  return sent
}

/** What a client does whose messages were not answered: the very same again, whose effect comes once. Then all of them have met. */
async function settle(t: Test, sent: readonly Sent[]): Promise<void> {
  for (const { client, signed, heard } of sent) {
    const order = await persist(() => client.sendOrder(signed))
    if (typeof heard !== 'string') t.equal(order.id, heard.id, 'what was acknowledged is there')
  }
  for (let pair = 0; pair < sent.length / 2; pair++) books.traded('bob', 'alice', XLM, LOT, PRICE)
  await books.check(t)
}

/** Besides what was under way, of which nobody knows. */
const heardOf = (sent: readonly Sent[]): readonly string[] =>
  [...new Set(sent.map(({ heard }) => (typeof heard === 'string' ? heard : 'acknowledged')))].filter((heard) => heard !== 'OutcomeUnknown').sort()

/** What `darkpool status` warns of; it fails where that is anything. */
async function alarms(): Promise<readonly string[]> {
  const { actors } = await under.darkpool('status').catch((error: unknown) => JSON.parse((error as { stdout: string }).stdout) as Record<string, unknown>)
  return (actors as readonly { readonly alarms: readonly string[] }[]).flatMap((actor) => actor.alarms)
}

t.test('the journals come to the bound of their stream: refused by name, and all goes on once there is room', async (t) => {
  const bound = async (maxBytes: (kept: number) => number): Promise<void> => {
    const connection = await connectNats(await venue.natsAccess(), 'operator')
    const manager = await jetstreamManager(connection)
    const { config, state: kept } = await manager.streams.info(subjects.journalStream)
    await manager.streams.update(subjects.journalStream, { ...config, max_bytes: maxBytes(kept.bytes) })
    await connection.close()
  }
  await bound((kept) => kept + ROOM_bytes)
  const sent = await tradeUntil('venue_overloaded')
  t.same(heardOf(sent), ['acknowledged', 'venue_overloaded'])
  await until('the operator is told', async () => (await alarms()).includes('journal_stalled'))
  await until('metrics say so', async () => total((await readMetrics(venue.nodes[0].metricsUrls[1])).page, 'darkpool_actor_journal_stalled')! > 0)
  await bound(() => -1)
  await settle(t, sent)
  t.same(await alarms(), [])
})

t.test('the file system is full to the last byte: refused by name, and all goes on once there is room and nats-server was started again', async (t) => {
  if (disk === null) return t.pass('this machine lets nobody mount a small file system: only the bound of the stream was tried')
  const sent = await tradeUntil('venue_overloaded', (pairs) => {
    if (pairs === 10) disk.fill()
  })
  t.same(heardOf(sent), ['acknowledged', 'venue_overloaded'])
  await until('the operator is told', async () => (await alarms()).includes('journal_stalled'))
  await until('metrics say so', async () => total((await readMetrics(venue.nodes[0].metricsUrls[1])).page, 'darkpool_actor_journal_stalled')! > 0)
  disk.free()
  // nats-server takes nothing more once it could not write, until it is started again.
  await venue.nats.kill()
  await venue.nats.start()
  await settle(t, sent)
  t.same(await alarms(), [])
})

import { connectNats } from '../../src/actors/runtime/transport.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { MarketName, MarketState, Ticks } from '../../src/protocol/identity.ts'
import type { AnswerPacket, ClientPacket } from '../../src/protocol/packets.ts'
import type { PairCommand } from '../../src/protocol/pair.ts'
import { pairActor, Subjects } from '../../src/protocol/subjects.ts'
import type { LocalVenue } from '../../scripts/venue/localVenue.ts'

/** The prices of a local venue's markets. */
const anyPrice = { lowTicks: 1 as Ticks, highTicks: 1_000_000_000 as Ticks }

/** Tells a pair actor what an operator would, over the venue's own NATS user, and waits until it has done it. */
export async function controlMarket(venue: LocalVenue, market: string, state: MarketState, band: { readonly lowTicks: Ticks; readonly highTicks: Ticks } = anyPrice): Promise<void> {
  const connection = await connectNats(await venue.natsAccess(), 'operator')
  const subjects = new Subjects('local')
  const answers = connection.subscribe(subjects.answers('operator'), { max: 1 })
  const command: PairCommand = { kind: 'control', state, ...band }
  const packet: ClientPacket<PairCommand, never> = { gateway: 'operator', items: [{ request: 1, command }] }
  connection.publish(subjects.clients(pairActor(market as MarketName)), encode(packet))
  for await (const { data } of answers) {
    const answer = decode<AnswerPacket>(data).answers[0]?.answer
    if (answer === undefined || 'refused' in answer) throw new Error(`the market refused: ${JSON.stringify(answer)}`)
  }
  await connection.close()
}

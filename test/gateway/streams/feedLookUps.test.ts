import t from 'tap'
import type { NatsConnection } from '@nats-io/transport-node'
import { AccountFeed } from '../../../src/gateway/streams/accountFeed.ts'
import { FeedLookUps } from '../../../src/gateway/streams/feedLookUps.ts'
import { Refusal } from '../../../src/protocol/errors.ts'
import type { AccountId } from '../../../src/protocol/identity.ts'
import type { FeedMessage } from '../../../src/protocol/feed.ts'
import { until } from '../../settlement/waiting.ts'

t.test('a feed that could not be looked up when the connection was back is looked up again, without being quiet for long', async (t) => {
  let asked = 0
  const message = (seq: number) => ({ v: 1, seq, account: 'GA', time: '2026-11-28T00:00:00.000Z', type: 'settled', trades: [], transaction: 'x', ledger: 1, receipts: { sequence: 1, size: 2, from: 1, leaves: [0] } }) as unknown as FeedMessage
  // The connection by which the store is read comes back a little later than the one on which messages come.
  const feed = new AccountFeed('GA' as AccountId, {
    newest: async () => {
      if (asked++ < 2) throw new Refusal('history_unavailable')
      return 3
    },
    after: async (_owner, after) => ({ messages: [1, 2, 3].filter((seq) => seq > after).map(message), more: false }),
  })
  feed.begin(1)
  let back = (): void => undefined
  const statuses = { async *[Symbol.asyncIterator]() { await new Promise<void>((resolve) => (back = resolve)); yield { type: 'reconnect' } } }
  const lookUps = new FeedLookUps({ status: () => statuses } as unknown as NatsConnection, () => [feed])
  t.teardown(() => {
    lookUps.close()
    feed.close()
  })
  back()
  await until('it was looked up in vain', () => asked === 1)
  await until('each tick looks again', () => {
    // It has just been heard of, so it is not looked up for being quiet.
    feed.heard_ms = performance.now()
    lookUps.tick()
    return feed.last === 3
  })
  const enough = asked
  feed.heard_ms = performance.now()
  lookUps.tick()
  t.equal(asked, enough, 'and what is known is not asked for again')
})

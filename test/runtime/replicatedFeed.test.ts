import { setTimeout as delay } from 'node:timers/promises'
import { jetstreamManager } from '@nats-io/jetstream'
import t from 'tap'
import { FeedPages } from '../../src/gateway/feeds/feedPages.ts'
import { feedsOf, JetStreamFeedStore } from '../../src/gateway/feeds/feedStore.ts'
import type { FeedText } from '../../src/actors/runtime/feed.ts'
import { JetStreamFeed } from '../../src/actors/runtime/jetstreamFeed.ts'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import type { AccountId } from '../../src/protocol/identity.ts'
import { Subjects } from '../../src/protocol/subjects.ts'
import { startNatsCluster } from '../nats/cluster.ts'

// Feeds on three nats-servers, of which the one that leads the stream is killed again and again.

const BURSTS = 60
const BURST = 400

t.setTimeout(280_000)
const subjects = new Subjects('test')
const account = 'GA' as AccountId
const servers = await startNatsCluster(3)
const access = { servers: servers.map(({ url }) => url), user: servers[0]!.user, password: servers[0]!.password }
const [connection, other] = [await connectNats(access, 'actor'), await connectNats(access, 'operator')]
t.teardown(async () => {
  await connection.close()
  await other.close()
  for (const server of servers) await server.stop()
})

t.test('every message of every burst is there and in order, whoever leads the stream', async (t) => {
  await ensureStreams(connection, subjects, 3)
  const manager = await jetstreamManager(other, { checkAPI: false })
  let storing = true
  let killed = 0
  const unrest = (async () => {
    for (; storing; await delay(300)) {
      try {
        const { cluster } = await manager.streams.info(subjects.feedStream)
        const leader = servers[Number(cluster?.leader?.slice(1))]
        if (leader === undefined) continue
        await leader.kill()
        killed++
        await leader.restart()
      } catch {
        // Nobody leads just now: asked again.
      }
    }
  })()
  const feed = new JetStreamFeed(connection, subjects, 3)
  let repeated = 0
  for (let burst = 0, seq = 0; burst < BURSTS; burst++, seq += BURST) {
    const texts: FeedText[] = Array.from({ length: BURST }, (_, i) => ({ account, text: JSON.stringify({ seq: seq + i + 1 }) }))
    for (;;) {
      try {
        await feed.store(texts)
        break
      } catch {
        // As the actor's feed does: the same again, before anything newer.
        repeated++
        await delay(20)
      }
    }
  }
  storing = false
  await unrest
  t.comment(`${killed} leaders killed, ${repeated} bursts repeated`)
  t.ok(killed > 0 && repeated > 0, 'there was unrest')
  const pages = new FeedPages(new JetStreamFeedStore(connection, feedsOf(subjects)))
  let last = 0
  for (let more = true; more; ) {
    const page = await pages.after(account, last, 1_000)
    ;({ last, more } = page)
  }
  t.equal(last, BURSTS * BURST, 'every message, in order')
})

import { connect } from '@nats-io/transport-node'
import { keyAccess } from '../../src/client/natsAccess.ts'
import { Subjects } from '../../src/protocol/subjects.ts'
import type { Lane } from './lane.ts'
import type { NatsLoad } from './plan.ts'

const CONNECT_TIMEOUT_ms = 30_000
const ANSWER_TIMEOUT_ms = 15_000

/** A connection for each trader, let in by its own key; orders by request, each answered with status and body. */
export async function openNats({ servers, venue, secrets, bodies }: NatsLoad): Promise<Lane[]> {
  const subjects = new Subjects(venue)
  return Promise.all(
    secrets.map(async (secret): Promise<Lane> => {
      const { account, key, options } = keyAccess(secret)
      const connection = await connect({ servers: [...servers], name: 'load', timeout: CONNECT_TIMEOUT_ms, noAsyncTraces: true, ...options })
      const subject = subjects.traderRequest(account, key, 'orders')
      let broken: (reason: Error) => void = () => undefined
      return {
        send: (n, answered) => {
          connection.request(subject, bodies[n], { timeout: ANSWER_TIMEOUT_ms }).then(
            (message) => answered(/^{"status":20[012],/.test(message.string())),
            (reason: unknown) => broken(reason instanceof Error ? reason : new Error(String(reason))),
          )
        },
        onBroken: (call) => (broken = call),
        close: () => void connection.close(),
      }
    }),
  )
}

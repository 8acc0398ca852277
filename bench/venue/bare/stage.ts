// A thread that keeps what it is handed, one synced append in flight, and hands it on when it is kept: the first to the second, the second to the server.
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { jetstream } from '@nats-io/jetstream'
import { connectNats } from '../../../src/actors/runtime/transport.ts'
import { encode } from '../../../src/protocol/codec.ts'
import type { NatsAccess } from '../../../src/protocol/natsAccess.ts'
import { inTurns } from './inTurns.ts'

export interface StageSetting {
  readonly access: NatsAccess
  readonly subject: string
  /** Hands its orders to whoever made it, and not to the next. */
  readonly last: boolean
}

export interface BareOrder {
  readonly request: number
  readonly id: string
  readonly message: object
}

const { access, subject, last } = workerData as StageSetting
const parent = parentPort!
const [{ port }] = (await once(parent, 'message')) as [{ readonly port: MessagePort }]
const next = last ? parent : port
const client = jetstream(await connectNats(access, `bare ${subject}`))

const append = inTurns<BareOrder>(async (batch) => {
  await client.publish(subject, encode(batch))
  next.postMessage(batch)
})
const take = (orders: readonly BareOrder[]): void => void append(orders)
parent.on('message', take)
port.on('message', take)
parent.postMessage('ready')

// The whole path as barely as it can be: Fastify, Piscina with sodium-native, and two threads in a row that each keep what they are handed with one synced append in flight. No funds, no
// matching, no feeds, no refusals. What a venue can do on a machine is little without knowing what this does there.
import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import fastify from 'fastify'
import type { FastifyReply } from 'fastify'
import { Piscina } from 'piscina'
import { StrKey } from '@stellar/stellar-sdk/base'
import { messageId } from '../../../src/protocol/messages/messageId.ts'
import type { SignedMembers } from '../../../src/protocol/messages/canonical.ts'
import { inTurns } from './inTurns.ts'
import type { Check } from './verifier.ts'
import type { BareOrder, StageSetting } from './stage.ts'
import type { BareSetting } from './server.ts'

interface Body {
  readonly message: SignedMembers & { readonly account: string }
  readonly signature: string
}

const order = { type: 'object', required: ['message', 'signature'], properties: { message: { type: 'object', required: ['account'], properties: { account: { type: 'string' } } }, signature: { type: 'string' } } } as const
const answer = { 201: { type: 'object', properties: { id: { type: 'string' }, status: { type: 'string' } } } } as const

const [{ access, subjects }] = (await once(process, 'message')) as [BareSetting]
const verifiers = new Piscina<readonly Check[], readonly boolean[]>({ filename: new URL('./verifier.ts', import.meta.url).href, minThreads: 1, maxThreads: 1, idleTimeout: Infinity, recordTiming: false })

const { port1: between, port2: behind } = new MessageChannel()
const first = await stage({ access, subject: subjects[0]!, last: false }, between)
const second = await stage({ access, subject: subjects[1]!, last: true }, behind)
const waiting = new Map<number, FastifyReply>()
second.on('message', (orders: readonly BareOrder[]) => {
  for (const { request, id } of orders) {
    const reply = waiting.get(request)
    waiting.delete(request)
    void reply?.code(201).send({ id, status: 'open' })
  }
})

const keys = new Map<string, Uint8Array>()
function keyOf(account: string): Uint8Array {
  const known = keys.get(account)
  if (known !== undefined) return known
  const key = Uint8Array.from(StrKey.decodeEd25519PublicKey(account))
  keys.set(account, key)
  return key
}

/** Those of one turn of the event loop; then whatever has come while the thread was busy, at once: a task for each signature would cost half as much again. */
const arrived: { readonly check: Check; readonly order: BareOrder }[] = []
const check = inTurns<(typeof arrived)[number]>(async (batch) => {
  const valid = await verifiers.run(batch.map(({ check }) => check))
  if (!valid.every(Boolean)) throw new Error('the load has a signature that does not fit')
  first.postMessage(batch.map(({ order }) => order))
})

let count = 0
const app = fastify()
app.post<{ Body: Body }>('/api/v1/orders', { schema: { body: order, response: answer } }, (request, reply) => {
  const { message, signature } = request.body
  const id = messageId(message)
  const number = ++count
  waiting.set(number, reply)
  arrived.push({ check: { key: keyOf(message.account), signature, digest: id }, order: { request: number, id, message } })
  if (arrived.length === 1) setImmediate(() => void check(arrived.splice(0)))
})
const url = await app.listen({ host: '127.0.0.1', port: 0 })
process.send?.(url)
process.once('disconnect', () => process.exit(0))

async function stage(setting: StageSetting, port: typeof between): Promise<Worker> {
  const worker = new Worker(new URL('./stage.ts', import.meta.url), { workerData: setting })
  worker.postMessage({ port }, [port])
  await once(worker, 'message')
  return worker
}

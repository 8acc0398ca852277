import { connect } from '@nats-io/transport-node'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { keyAccess } from '../../src/client/natsAccess.ts'
import { openNats } from '../../src/client/natsConnection.ts'
import type { NatsConnectOptions } from '../../src/client/natsConnection.ts'
import { NatsRequests } from '../../src/client/natsRequests.ts'
import { call } from '../gateway/call.ts'
import { openStage, trader } from '../gateway/stage.ts'
import { keypairFor, openSubscriberStage } from '../subscribers/stage.ts'

const stage = await openSubscriberStage((file) => ({ ...file, nats: { ...file.nats, addresses: file.nats.servers } }))
t.teardown(() => stage.close())
const access = keyAccess(keypairFor('alice').secret())

t.test('a trader who knows the gateway’s address alone comes to the venue’s NATS', async (t) => {
  const { venue } = await Client.open(stage.url, trader('alice'))
  t.strictSame(venue.nats, { addresses: [stage.nats.url], tls: false, auth: 'nkey', sealed: false, authorities: null })
  const connection = await openNats(connect, venue, access, { timeout: 20_000 })
  t.teardown(() => connection.close())
  stage.vault.script = () => ({ answer: { ok: [] } })
  t.strictSame(await new NatsRequests(connection, venue.venue, access).balances(), [], 'and is let in')
})

t.test('an address that says TLS is never reached without', async (t) => {
  const nats = { addresses: [`tls://127.0.0.1:${stage.nats.port}`], tls: true, auth: 'nkey' as const, sealed: false, authorities: null }
  const end = { ...access, options: { ...access.options, maxReconnectAttempts: 0 } as unknown as typeof access.options }
  await t.rejects(openNats(connect, { nats }, end), { message: /tls/ }, 'that server has none')
})

t.test('which of the addresses are taken', async (t) => {
  const taken = async (addresses: string[], options: Parameters<typeof openNats>[3] = {}): Promise<Pick<NatsConnectOptions, 'servers' | 'tls'>> => {
    let asked: NatsConnectOptions | undefined
    const note = (options: NatsConnectOptions): Promise<never> => {
      asked = options
      return Promise.reject(new Error('only the address counts'))
    }
    await openNats(note, { nats: { addresses, tls: false, auth: 'nkey', sealed: false, authorities: null } }, access, options).catch((error: Error) => {
      if (asked === undefined) throw error
    })
    return { servers: asked!.servers, ...(asked!.tls && { tls: asked!.tls }) }
  }
  const all = ['nats://pool.example:4222', 'tls://pool.example:4223', 'ws://pool.example:80', 'wss://pool.example']
  t.strictSame(await taken(all), { servers: ['tls://pool.example:4223'], tls: {} })
  t.strictSame(await taken(all, { over: 'websocket' }), { servers: ['wss://pool.example'] })
  t.strictSame(await taken(all, { servers: ['nats://10.0.0.1:4222'] }), { servers: ['nats://10.0.0.1:4222'] }, 'whoever names one knows why')
  t.strictSame(await taken(['nats://127.0.0.1:1', 'nats://[::1]:1', 'nats://localhost:1']), { servers: ['nats://127.0.0.1:1', 'nats://[::1]:1', 'nats://localhost:1'] })
  for (const address of ['nats://pool.example:4222', 'nats://127.0.0.1.example:4222', 'nats://localhost@pool.example:4222']) await t.rejects(taken([address]), { message: /TLS/ }, address)
  await t.rejects(taken(['wss://pool.example']), { message: /tcp/ })
})

t.test('a venue whose NATS is its own says so', async (t) => {
  const closed = await openStage()
  t.teardown(() => closed.close())
  t.equal((await call(closed.url, 'GET', '/api/v1/markets')).json.nats, null)
  await t.rejects(openNats(connect, { nats: null }, access), { message: /names no address/ })
})

import { createECDH } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { createServer as createSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { secp256k1 } from '@noble/curves/secp256k1'
import { keccak_256 } from '@noble/hashes/sha3'
import { DstackClient } from '@phala/dstack-sdk'
import { Keypair } from '@stellar/stellar-sdk'
import t from 'tap'
import { AgentAway, AgentRefused, GuestAgent } from '../../src/enclave/guestAgent.ts'
import { DevelopmentAgent } from '../../src/enclave/simulator/agent.ts'
import { developmentChain, developmentKeys, developmentRoot } from '../../src/enclave/simulator/developmentKeys.ts'
import { DevelopmentPlatform } from '../../src/enclave/simulator/platform.ts'
import { SocketServer } from '../../src/enclave/socketServer.ts'

const folder = mkdtempSync(join(tmpdir(), 'darkpool-agent-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const rootFile = join(folder, 'root')
writeFileSync(rootFile, `${Buffer.from(Array.from({ length: 32 }, (_, n) => n)).toString('hex')}\n`)
const fail = (error: unknown): never => {
  throw error
}
const socket = join(folder, 'agent.sock')
const platform = new DevelopmentPlatform(developmentRoot(rootFile), developmentChain(rootFile).rootPublicKey, new Date())
const openAgent = (path: string): Promise<DevelopmentAgent> => DevelopmentAgent.open(path, developmentChain(rootFile), platform, fail)
const agent = await openAgent(socket)
t.teardown(() => agent.close())
const guest = new GuestAgent(socket)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

// Of the root key 000102…1f, by RFC 5869 with Python's hmac: app id = first 20 bytes of sha256("darkpool development").
const APP_ID = 'f4bf824993dcb6ac581ced13e9133f3ab277b98c'
const APP_KEY = '6154e340eb7ea9dc791e0a1ed3693fce9d9a65389a339b720652520909bc07c4'
const vectors = {
  'darkpool/v1/engine': 'e50dd023a92e0b314e943e351be49a98b7f0a1bd1ac56a60ad677ebc7b9e0f60',
  'darkpool/v1/journal': '90fd94d4d4f1067cc4e388e7a577b8b8bed002d94df4966ee064b1cf3072a24d',
  'darkpool/v2/feeds': '0e99afd6ddff1279a8c018e52ade94ab4bc2b30e2b840c84f8d3eafb7f095989',
}

t.test('keys are those that dstack derives, over the socket and from the file', async (t) => {
  const local = developmentKeys(rootFile)
  for (const [path, key] of Object.entries(vectors)) {
    t.equal(hex(await guest.secret(path)), key)
    t.equal(hex(await local.secret(path)), key)
  }
})

t.test('the signature chain leads from the key over the app key to the root', async (t) => {
  const publicKeys = { ed25519: (key: Uint8Array) => hex(Keypair.fromRawEd25519Seed(Buffer.from(key)).rawPublicKey()), secp256k1: (key: Uint8Array) => compressed(key) }
  for (const algorithm of ['ed25519', 'secp256k1'] as const) {
    const { key, signature_chain: chain } = await new DstackClient(socket).getKey('some/path', 'some purpose', algorithm)
    t.equal(chain.length, 2)
    t.equal(recovered(chain[0]!, Buffer.from(`some purpose:${publicKeys[algorithm](key)}`)), compressed(Buffer.from(APP_KEY, 'hex')))
    t.equal(recovered(chain[1]!, Buffer.concat([Buffer.from('dstack-kms-issued:'), Buffer.from(APP_ID, 'hex'), Buffer.from(compressed(Buffer.from(APP_KEY, 'hex')), 'hex')])), hex(developmentChain(rootFile).rootPublicKey))
  }
  t.equal(hex(developmentChain(rootFile).rootPublicKey), compressed(Buffer.from(Array.from({ length: 32 }, (_, n) => n))))
})

t.test('only its owner may open the socket, and no second process takes it', async (t) => {
  t.equal(statSync(socket).mode & 0o777, 0o600)
  await t.rejects(openAgent(socket), /another process answers/)
  await t.rejects(SocketServer.open(join(folder, 'x'.repeat(120)), async () => ({ status: 200, json: {} }), fail), /too long for the name of a socket/)
  // What a killed process leaves does not keep the next one out.
  const left = join(folder, 'left.sock')
  const killed = createSocket().listen(left)
  await once(killed, 'listening')
  const address = join(folder, 'kept.sock')
  renameSync(left, address)
  killed.close()
  await once(killed, 'close')
  t.ok(existsSync(address))
  const next = await openAgent(address)
  t.equal(hex(await new GuestAgent(address).secret('darkpool/v1/engine')), vectors['darkpool/v1/engine'])
  await next.close()
})

t.test('requests that are none are refused, and the agent answers on', async (t) => {
  const client = new DstackClient(socket)
  await t.rejects(client.getKey('path', 'purpose', 'rsa'), TypeError, 'as the library says it')
  for (const body of ['{', '[]', '"x"', '{"path":7}', '{"path":"a","algorithm":"toString"}', `{"path":"${'x'.repeat(70_000)}"}`]) {
    const response = await post(socket, '/GetKey', body)
    t.match(response, { status: 400, json: { error: String } })
  }
  t.match(await post(socket, '/Reboot', '{}'), { status: 404, json: { error: String } })
  t.match(await client.version(), { version: String })
})

t.test('an agent that answers with an error, or with something else, is not asked again', async (t) => {
  let asked = 0
  const answering = async (json: object, status = 200) => {
    const path = join(folder, `odd-${++asked}.sock`)
    const server = await SocketServer.open(path, async (request) => (request === '/Version' ? { status: 200, json: {} } : (asked++, { status, json })), fail)
    t.teardown(() => server.close())
    return new GuestAgent(path)
  }
  const odd: object[] = [{ error: 'no such key' }, { key: 'ab', signature_chain: [] }, { key: '00'.repeat(32), signature_chain: [] }, {}]
  for (const json of odd) await t.rejects((await answering(json)).secret('path'), AgentRefused)
  const noQuotes: object[] = [{ error: 'no quote today' }, { quote: 'xyz', event_log: '[]' }, { quote: 'abcd' }]
  for (const json of noQuotes) await t.rejects((await answering(json, 500)).quote(new Uint8Array(64)), AgentRefused)
  await t.rejects((await answering({ tcb_info: '{}' })).info(), AgentRefused)
  t.equal(asked, 2 * (odd.length + noQuotes.length + 1), 'each was asked once')
  await t.rejects(guest.quote(new Uint8Array(63)), /64 bytes/)
})

t.test('an agent that is away is waited for, and not for ever', async (t) => {
  const path = join(folder, 'late.sock')
  await t.rejects(new GuestAgent(path, { retry_ms: 1 }).secret('path'), AgentAway)
  // It listens and says nothing.
  const silent = createServer(() => undefined).listen(join(folder, 'silent.sock'))
  await once(silent, 'listening')
  t.teardown(() => {
    silent.closeAllConnections()
    silent.close()
  })
  await t.rejects(new GuestAgent(join(folder, 'silent.sock'), { answer_ms: 50, retry_ms: 1 }).secret('path'), { name: 'AgentAway', message: /silent\.sock does not answer/ })
  const waiting = new GuestAgent(path).secret('darkpool/v1/engine')
  const late = await openAgent(path)
  t.teardown(() => late.close())
  t.equal(hex(await waiting), vectors['darkpool/v1/engine'])
})

t.test('an environment variable does not lead to another agent', async (t) => {
  t.teardown(() => delete process.env.DSTACK_SIMULATOR_ENDPOINT)
  process.env.DSTACK_SIMULATOR_ENDPOINT = socket
  await t.rejects(new GuestAgent(undefined, { retry_ms: 1 }).secret('path'), { name: 'AgentAway', message: /\/var\/run\/dstack\.sock/ })
})

function compressed(key: Uint8Array): string {
  const curve = createECDH('secp256k1')
  curve.setPrivateKey(key)
  return curve.getPublicKey('hex', 'compressed')
}

function recovered(signature: Uint8Array, message: Uint8Array): string {
  return secp256k1.Signature.fromCompact(signature.subarray(0, 64)).addRecoveryBit(signature[64]!).recoverPublicKey(keccak_256(message)).toHex(true)
}

async function post(socketPath: string, path: string, body: string): Promise<{ status: number; json: unknown }> {
  const asked = request({ socketPath, path, method: 'POST', agent: false })
  asked.on('error', () => undefined)
  asked.end(body)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  let text = ''
  for await (const piece of response) text += String(piece)
  return { status: response.statusCode!, json: JSON.parse(text) }
}

import { createHash, randomBytes } from 'node:crypto'
import { Type } from 'typebox'
import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { SocketServer } from '../socketServer.ts'
import type { SocketAnswer } from '../socketServer.ts'
import { pairFrom } from './certificates.ts'
import type { KeyAlgorithm, KeyChain } from './keyChain.ts'
import type { DevelopmentPlatform } from './platform.ts'

/** The guest agent's version that this one follows. */
const VERSION = { version: '0.5.8', rev: 'development' }
const REPORT_DATA_BYTES = 64
const MOST_EVENTS = 128

const hexText = (bytes: number) => Type.String({ pattern: '^([0-9a-fA-F]{2})*$', maxLength: 2 * bytes })
const KeyRequest = Type.Object({ path: Type.String({ maxLength: 256 }), purpose: Type.Optional(Type.String({ maxLength: 256 })), algorithm: Type.Optional(Type.String()) })
const QuoteRequest = Type.Object({ report_data: hexText(REPORT_DATA_BYTES) })
const EventRequest = Type.Object({ event: Type.String({ minLength: 1, maxLength: 128 }), payload: hexText(8_192) })
const TlsRequest = Type.Object({ subject: Type.Optional(Type.String({ maxLength: 256 })) })
const algorithms: Readonly<Record<string, KeyAlgorithm>> = { '': 'secp256k1', secp256k1: 'secp256k1', k256: 'secp256k1', ed25519: 'ed25519' }

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const refused = (error: string): SocketAnswer => ({ status: 400, json: { error } })

/** A dstack guest agent for development, on a unix socket: the same requests, the same derivations, quotes of the same form. What stands behind it is a file and no hardware. */
export class DevelopmentAgent {
  readonly #keys: KeyChain
  readonly #platform: DevelopmentPlatform
  #server: SocketServer | undefined
  #events = 0

  private constructor(keys: KeyChain, platform: DevelopmentPlatform) {
    this.#keys = keys
    this.#platform = platform
  }

  static async open(socket: string, keys: KeyChain, platform: DevelopmentPlatform, failed: (error: unknown) => void): Promise<DevelopmentAgent> {
    const agent = new DevelopmentAgent(keys, platform)
    agent.#server = await SocketServer.open(socket, (path, body) => agent.#answer(path, body), failed)
    return agent
  }

  async close(): Promise<void> {
    await this.#server?.close()
  }

  async #answer(path: string, body: unknown): Promise<SocketAnswer> {
    switch (path) {
      case '/Version':
        return { status: 200, json: VERSION }
      case '/Info':
        return this.#info()
      case '/GetKey':
        return read(KeyRequest, body, (request) => this.#key(request))
      case '/GetQuote':
        return read(QuoteRequest, body, (request) => this.#quote(request))
      case '/EmitEvent':
        return read(EventRequest, body, (request) => this.#measure(request))
      case '/GetTlsKey':
        return read(TlsRequest, body, (request) => this.#tlsKey(request))
      default:
        return { status: 404, json: { error: `no such request: ${path}` } }
    }
  }

  #key({ path, purpose = '', algorithm: named = '' }: Static<typeof KeyRequest>): SocketAnswer {
    const algorithm = Object.hasOwn(algorithms, named) ? algorithms[named] : undefined
    if (algorithm === undefined) return refused('Unsupported algorithm')
    return { status: 200, json: { key: hex(this.#keys.key(path)), signature_chain: this.#keys.signatures(path, purpose, algorithm).map(hex) } }
  }

  async #quote({ report_data: data }: Static<typeof QuoteRequest>): Promise<SocketAnswer> {
    const reportData = Buffer.alloc(REPORT_DATA_BYTES)
    reportData.write(data, 'hex')
    const { quote, log } = await this.#platform.quote(reportData)
    return { status: 200, json: { quote: hex(quote), event_log: JSON.stringify(log), report_data: hex(reportData), vm_config: '{}' } }
  }

  async #info(): Promise<SocketAnswer> {
    const { log, measurements } = await this.#platform.state()
    const { appId, appCompose, instanceId, osImageHash, keyProvider } = this.#platform.boot
    const composeHash = createHash('sha256').update(appCompose).digest('hex')
    const tcbInfo = { ...measurements, os_image_hash: osImageHash, compose_hash: composeHash, device_id: '', app_compose: appCompose, event_log: log, mr_aggregated: '' }
    const info = { app_id: appId, instance_id: instanceId, app_cert: '', app_name: 'darkpool-development', device_id: '', os_image_hash: osImageHash, compose_hash: composeHash, vm_config: '{}' }
    return { status: 200, json: { ...info, key_provider_info: JSON.stringify(keyProvider), tcb_info: JSON.stringify(tcbInfo) } }
  }

  #measure({ event, payload }: Static<typeof EventRequest>): SocketAnswer {
    if (++this.#events > MOST_EVENTS) return refused('as many events were measured as may be')
    this.#platform.measure(event, Buffer.from(payload, 'hex'))
    return { status: 200, json: {} }
  }

  #tlsKey({ subject = '' }: Static<typeof TlsRequest>): SocketAnswer {
    const { key, certificates } = this.#platform.tlsKey(subject === '' ? 'darkpool development' : subject, pairFrom(randomBytes(32), 'TLS'), new Date())
    return { status: 200, json: { key, certificate_chain: certificates } }
  }
}

function read<Shape extends TSchema>(shape: Shape, body: unknown, answer: (request: Static<Shape>) => SocketAnswer | Promise<SocketAnswer>): SocketAnswer | Promise<SocketAnswer> {
  return Value.Check(shape, body) ? answer(body) : refused('not a request of that kind')
}

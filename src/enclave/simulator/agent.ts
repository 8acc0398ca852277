import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { SocketServer } from '../socketServer.ts'
import type { SocketAnswer } from '../socketServer.ts'
import type { KeyAlgorithm, KeyChain } from './keyChain.ts'

/** The guest agent's version that this one follows. */
const VERSION = { version: '0.5.8', rev: 'development' }

const KeyRequest = Type.Object({ path: Type.String({ maxLength: 256 }), purpose: Type.Optional(Type.String({ maxLength: 256 })), algorithm: Type.Optional(Type.String()) })
const algorithms: Readonly<Record<string, KeyAlgorithm>> = { '': 'secp256k1', secp256k1: 'secp256k1', k256: 'secp256k1', ed25519: 'ed25519' }

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const refused = (error: string): SocketAnswer => ({ status: 400, json: { error } })

/** A dstack guest agent for development, on a unix socket: the same requests, the same derivations. What stands behind it is a file and no hardware. */
export class DevelopmentAgent {
  readonly #keys: KeyChain
  #server: SocketServer | undefined

  private constructor(keys: KeyChain) {
    this.#keys = keys
  }

  static async open(socket: string, keys: KeyChain, failed: (error: unknown) => void): Promise<DevelopmentAgent> {
    const agent = new DevelopmentAgent(keys)
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
      case '/GetKey':
        return this.#key(body)
      default:
        return { status: 404, json: { error: `no such request: ${path}` } }
    }
  }

  #key(body: unknown): SocketAnswer {
    if (!Value.Check(KeyRequest, body)) return refused('not a request for a key')
    const { path, purpose = '' } = body
    const algorithm = algorithms[body.algorithm ?? '']
    if (algorithm === undefined) return refused('Unsupported algorithm')
    return { status: 200, json: { key: hex(this.#keys.key(path)), signature_chain: this.#keys.signatures(path, purpose, algorithm).map(hex) } }
  }
}

import { createPublicKey } from 'node:crypto'
import { join } from 'node:path'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { Digest } from '../../protocol/messages/members.ts'
import type { VenueFile } from '../../protocol/venue.ts'
import { AgentAway } from '../guestAgent.ts'
import type { Keys } from '../keys.ts'
import { OwnNatsCertificates } from '../natsAuthority.ts'
import { SocketServer } from '../socketServer.ts'
import type { SocketAnswer } from '../socketServer.ts'
import { TooManyQuotes } from './attestor.ts'
import type { Attestor } from './attestor.ts'
import { keyRoles, pathsOf } from './roles.ts'
import type { KeyRole } from './roles.ts'

const MOST_PATHS = 32
const KeysRequest = Type.Object({ paths: Type.Array(Type.String({ maxLength: 128 }), { minItems: 1, maxItems: MOST_PATHS }) }, { additionalProperties: false })

const MOST_HOSTS = 8
const CertificateRequest = Type.Object(
  { publicKey: Type.String({ pattern: '^([0-9a-f]{2})+$', maxLength: 1_200 }), hosts: Type.Array(Type.String({ pattern: '^[A-Za-z0-9.-]{1,253}$' }), { minItems: 1, maxItems: MOST_HOSTS }) },
  { additionalProperties: false },
)

const EvidenceRequest = Type.Object({ nonce: Digest, tls: Type.String({ pattern: '^([0-9a-f]{2})+$', maxLength: 1_200 }) }, { additionalProperties: false })

/** The socket of one role, in a folder that can be given to that role's process alone. */
export const holderSocket = (folder: string, role: KeyRole): string => join(folder, role, 'keys.sock')

/** Of a holder: what it has been asked for that it does not give, and what went wrong. */
export interface HolderLog {
  refused(role: KeyRole, path: string): void
  failed(role: KeyRole, error: unknown): void
}

/** The one process that has the venue's secrets. The others ask it, each at its own socket, and get what their role may have. */
export class KeyHolder {
  readonly #venue: VenueFile
  readonly #keys: Keys
  readonly #attestor: Attestor | null
  readonly #certificates: OwnNatsCertificates | null
  readonly #log: HolderLog
  readonly #servers: SocketServer[] = []

  private constructor(venue: VenueFile, keys: Keys, attestor: Attestor | null, log: HolderLog) {
    this.#venue = venue
    this.#keys = keys
    this.#attestor = attestor
    this.#certificates = venue.nats.tls === undefined ? null : new OwnNatsCertificates(keys, venue)
    this.#log = log
  }

  /** @param attestor of the gateway; null where nothing vouches for the keys @param folder of the sockets */
  static async open(venue: VenueFile, keys: Keys, attestor: Attestor | null, folder: string, log: HolderLog): Promise<KeyHolder> {
    const holder = new KeyHolder(venue, keys, attestor, log)
    try {
      for (const role of keyRoles) {
        holder.#servers.push(await SocketServer.open(holderSocket(folder, role), (path, body) => holder.#orAway(role, holder.#answer(role, path, body)), (error) => log.failed(role, error)))
      }
    } catch (error) {
      await holder.close()
      throw error
    }
    return holder
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()))
  }

  async #answer(role: KeyRole, path: string, body: unknown): Promise<SocketAnswer> {
    switch (path) {
      case '/keys':
        return this.#give(role, body)
      case '/nats-authorities':
        return this.#certificates === null ? noTls : { status: 200, json: { authorities: await this.#certificates.authorities() } }
      case '/nats-certificate':
        return role === 'nats' ? this.#certify(body) : notFor(role)
      case '/info':
        return role === 'gateway' ? this.#info() : notFor(role)
      case '/evidence':
        return role === 'gateway' ? this.#evidence(body) : notFor(role)
      default:
        return { status: 404, json: { error: 'there is no such request' } }
    }
  }

  /** An agent that is away, or that has too much to do, is no fault of this process: whoever asked may ask again. */
  async #orAway(role: KeyRole, answer: Promise<SocketAnswer>): Promise<SocketAnswer> {
    try {
      return await answer
    } catch (error) {
      if (!(error instanceof AgentAway || error instanceof TooManyQuotes)) throw error
      this.#log.failed(role, error)
      return { status: 503, json: { error: error.message } }
    }
  }

  async #info(): Promise<SocketAnswer> {
    if (this.#attestor === null) return nothingVouches
    const { appId, instanceId, composeHash, osImageHash, measurements } = await this.#attestor.info()
    return { status: 200, json: { kind: this.#venue.enclave?.kind, appId, instanceId, composeHash, osImageHash, measurements } }
  }

  async #evidence(body: unknown): Promise<SocketAnswer> {
    if (this.#attestor === null) return nothingVouches
    if (!Value.Check(EvidenceRequest, body)) return { status: 400, json: { error: 'not a request for evidence' } }
    return { status: 200, json: await this.#attestor.evidence(body.nonce, body.tls) }
  }

  async #certify(body: unknown): Promise<SocketAnswer> {
    if (this.#certificates === null) return noTls
    if (!Value.Check(CertificateRequest, body) || !isPublicKey(Buffer.from(body.publicKey, 'hex'))) return { status: 400, json: { error: 'not a request for a certificate' } }
    return { status: 200, json: { certificate: await this.#certificates.certificate(Buffer.from(body.publicKey, 'hex'), body.hosts) } }
  }

  async #give(role: KeyRole, body: unknown): Promise<SocketAnswer> {
    if (!Value.Check(KeysRequest, body)) return { status: 400, json: { error: 'not a request for keys' } }
    const allowed = pathsOf(role, this.#venue)
    const foreign = body.paths.find((path) => !allowed.includes(path))
    if (foreign !== undefined) {
      this.#log.refused(role, foreign)
      return { status: 403, json: { error: `the ${role} may not have that key, by the venue file that the key holder was started with` } }
    }
    const keys = await Promise.all(body.paths.map(async (path) => [path, Buffer.from(await this.#keys.secret(path)).toString('hex')] as const))
    return { status: 200, json: { keys: Object.fromEntries(keys) } }
  }
}

function isPublicKey(spki: Buffer): boolean {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({ format: 'der', type: 'spki' }).equals(spki)
  } catch {
    // Said to whoever sent it.
    return false
  }
}

const nothingVouches: SocketAnswer = { status: 404, json: { error: 'nothing vouches for the keys of this venue' } }
const noTls: SocketAnswer = { status: 404, json: { error: 'the nats-servers of this venue speak no TLS' } }
const notFor = (role: KeyRole): SocketAnswer => ({ status: 403, json: { error: `that is not for the ${role}` } })

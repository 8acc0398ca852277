import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { join } from 'node:path'
import type { VenueFile } from '../../protocol/venue.ts'
import type { Keys } from '../keys.ts'
import { SocketServer } from '../socketServer.ts'
import type { SocketAnswer } from '../socketServer.ts'
import { keyRoles, pathsOf } from './roles.ts'
import type { KeyRole } from './roles.ts'

const MOST_PATHS = 32
const KeysRequest = Type.Object({ paths: Type.Array(Type.String({ maxLength: 128 }), { minItems: 1, maxItems: MOST_PATHS }) }, { additionalProperties: false })

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
  readonly #log: HolderLog
  readonly #servers: SocketServer[] = []

  private constructor(venue: VenueFile, keys: Keys, log: HolderLog) {
    this.#venue = venue
    this.#keys = keys
    this.#log = log
  }

  /** @param folder of the sockets */
  static async open(venue: VenueFile, keys: Keys, folder: string, log: HolderLog): Promise<KeyHolder> {
    const holder = new KeyHolder(venue, keys, log)
    try {
      for (const role of keyRoles) {
        holder.#servers.push(await SocketServer.open(holderSocket(folder, role), (path, body) => holder.#answer(role, path, body), (error) => log.failed(role, error)))
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
      default:
        return { status: 404, json: { error: 'there is no such request' } }
    }
  }

  async #give(role: KeyRole, body: unknown): Promise<SocketAnswer> {
    if (!Value.Check(KeysRequest, body)) return { status: 400, json: { error: 'not a request for keys' } }
    const allowed = pathsOf(role, this.#venue)
    const foreign = body.paths.find((path) => !allowed.includes(path))
    if (foreign !== undefined) {
      this.#log.refused(role, foreign)
      return { status: 403, json: { error: `the ${role} may not have that key` } }
    }
    const keys = await Promise.all(body.paths.map(async (path) => [path, Buffer.from(await this.#keys.secret(path)).toString('hex')] as const))
    return { status: 200, json: { keys: Object.fromEntries(keys) } }
  }
}

import { Refusal } from '../../protocol/errors.ts'
import type { Answer } from '../../protocol/packets.ts'
import type { Presence } from '../../protocol/vault.ts'
import type { Vaults } from '../vaults/vaults.ts'
import type { Connection } from './connection.ts'
import type { Login } from './logins.ts'

/** How long the vault actor waits for the next word of a connection before it takes the orders back, and how often it is said. A gateway that dies says nothing. */
export const PRESENCE_MS = 30_000
const SAY_AGAIN_MS = 10_000

interface Watch {
  readonly login: Login
  said_ms: number
  saying: boolean
}

/** Connections whose end takes orders back: of each, the account's vault actor hears that it lives, and when it does not. */
export class Presences {
  readonly #vaults: Vaults
  readonly #watches = new Map<Connection, Watch>()

  constructor(vaults: Vaults) {
    this.#vaults = vaults
  }

  /** From now on, or not at all. @throws Refusal what the vault actor refuses with */
  async watch(connection: Connection, login: Login): Promise<void> {
    await this.#say(connection, login, PRESENCE_MS, false)
    // Gone while it was said: nobody will say that it has ended, so it is said here.
    if (!connection.open) return void this.#end(connection, login, true)
    this.#watches.set(connection, { login, said_ms: performance.now(), saying: false })
  }

  /** The connection has ended, or its client no longer wants to be watched. */
  leave(connection: Connection, cancel: boolean): void {
    const watch = this.#watches.get(connection)
    if (watch === undefined) return
    this.#watches.delete(connection)
    this.#end(connection, watch.login, cancel)
  }

  /** Says of every connection for which it is time that it lives. */
  tick(): void {
    const before = performance.now() - SAY_AGAIN_MS
    for (const [connection, watch] of this.#watches) {
      if (watch.saying || watch.said_ms > before) continue
      watch.saying = true
      const said_ms = performance.now()
      this.#say(connection, watch.login, PRESENCE_MS, false).then(
        () => {
          watch.said_ms = said_ms
          watch.saying = false
        },
        (error: unknown) => {
          watch.saying = false
          // Between owners it is said again in a moment; whoever may no longer act for the account has no session either.
          if (error instanceof Refusal && error.code === 'signer_not_allowed') connection.end('session_ended')
        },
      )
    }
  }

  #end(connection: Connection, login: Login, cancel: boolean): void {
    // Where it cannot be said, the vault actor does the same a little later: it no longer hears of the connection.
    this.#say(connection, login, 0, cancel).catch(() => undefined)
  }

  async #say(connection: Connection, { account, key: signer }: Login, timeout_ms: number, cancel: boolean): Promise<void> {
    const presence: Presence = { kind: 'presence', account, signer, session: connection.name, timeout_ms, cancel }
    const answer = await new Promise<Answer>((resolve) => this.#vaults.command(account, presence, resolve))
    if ('refused' in answer) throw new Refusal(answer.refused, answer.detail)
  }
}

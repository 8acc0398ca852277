import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node'
import { Refusal } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import { failure } from '../log.ts'
import type { Log } from '../log.ts'
import type { KeyRights } from './doorkeeper.ts'
import { readSessionName, TRADERS_ACCOUNT } from './permit.ts'
import type { Admitted } from './permit.ts'

const LOOK_EVERY_MS = 1_000
/** Connections in one answer of a server. */
const PAGE = 1_024
/** A server that has not answered for so long is gone, and its connections with it. */
const FORGET_AFTER_MS = 10_000

interface Page {
  readonly server?: { readonly id?: string }
  readonly data?: {
    readonly total?: number
    readonly offset?: number
    readonly connections?: readonly { readonly cid: number; readonly authorized_user?: string }[]
  }
}

interface Connection extends Omit<Admitted, 'until'> {
  readonly cid: number
}

interface Server {
  readonly seen_ms: number
  readonly connections: readonly Connection[]
}

/**
 * The traders' connections, as the servers list them every second: the truth about them also for a gateway that was started a moment ago. Counts those of an account, and
 * ends those whose delegated key may no longer read.
 */
export class Sessions {
  readonly #system: NatsConnection
  readonly #rights: KeyRights
  readonly #log: Log
  readonly #inbox: string
  readonly #subscription: Subscription
  readonly #timer: NodeJS.Timeout
  readonly #servers = new Map<string, Server>()
  /** Pages of a listing that has more of them, by server. */
  readonly #partial = new Map<string, Connection[]>()
  /** Admitted since the servers were last asked, so perhaps not listed yet. */
  #entered = new Map<AccountId, number>()
  #enteredBefore = new Map<AccountId, number>()
  #checking = false

  /** @param system connection in the server's system account @param name of this gateway */
  constructor(system: NatsConnection, name: string, rights: KeyRights, log: Log) {
    this.#system = system
    this.#rights = rights
    this.#log = log
    this.#inbox = `_INBOX.${name}.connections`
    this.#subscription = system.subscribe(this.#inbox, {
      callback: (broken, message) => {
        if (broken === null) this.#hear(message)
      },
    })
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
    this.#look()
  }

  /** Takes one more connection of an account. @throws Refusal venue_overloaded where it has as many as it may */
  enter({ account }: Admitted): void {
    if (this.count(account) >= limits.natsConnectionsPerAccount) throw new Refusal('venue_overloaded', 'connections')
    this.#entered.set(account, (this.#entered.get(account) ?? 0) + 1)
  }

  /** Connections of an account, on all servers. */
  count(account: AccountId): number {
    let listed = 0
    for (const { connections } of this.#servers.values()) for (const connection of connections) if (connection.account === account) listed++
    return listed + (this.#entered.get(account) ?? 0) + (this.#enteredBefore.get(account) ?? 0)
  }

  /** Connections of everybody, on all servers. */
  get size(): number {
    let listed = 0
    for (const { connections } of this.#servers.values()) listed += connections.length
    return listed
  }

  close(): void {
    clearInterval(this.#timer)
    if (!this.#system.isClosed()) this.#subscription.unsubscribe()
  }

  #look(): void {
    if (this.#system.isClosed()) return
    const now = Date.now()
    for (const [id, { seen_ms }] of this.#servers) if (seen_ms < now - FORGET_AFTER_MS) this.#servers.delete(id)
    // Whoever was admitted before the last listing was asked for is in it by now, or has left.
    this.#enteredBefore = this.#entered
    this.#entered = new Map()
    this.#ask('PING', 0)
    if (!this.#checking) void this.#check()
  }

  #ask(server: string, offset: number): void {
    this.#system.publish(`$SYS.REQ.SERVER.${server}.CONNZ`, JSON.stringify({ auth: true, acc: TRADERS_ACCOUNT, limit: PAGE, offset, sort: 'cid' }), { reply: this.#inbox })
  }

  #hear(message: Msg): void {
    const { server, data } = message.json<Page>()
    const id = server?.id
    if (id === undefined || data === undefined) return
    const { total = 0, offset = 0, connections = [] } = data
    const all = offset === 0 ? [] : (this.#partial.get(id) ?? [])
    for (const { cid, authorized_user: name } of connections) {
      const session = readSessionName(name ?? '')
      // The gateways' own connections have other names.
      if (session !== undefined) all.push({ ...session, cid })
    }
    const next = offset + connections.length
    if (next < total && connections.length > 0) {
      this.#partial.set(id, all)
      this.#ask(id, next)
      return
    }
    this.#partial.delete(id)
    this.#servers.set(id, { seen_ms: Date.now(), connections: all })
  }

  /** Ends what a delegated key may no longer do. Where nobody can say, the next look asks again. */
  async #check(): Promise<void> {
    this.#checking = true
    const asked = new Map<string, Promise<boolean>>()
    try {
      for (const [server, { connections }] of this.#servers) {
        for (const { cid, account, key, scope, right } of connections) {
          if (right !== 'delegate') continue
          const name = `${account} ${key} ${scope}`
          const may = asked.get(name) ?? this.#may(account, key, scope)
          asked.set(name, may)
          // The server does nothing for who wants no answer; what it says is seen at the next look.
          if (!(await may)) this.#system.publish(`$SYS.REQ.SERVER.${server}.KICK`, JSON.stringify({ cid }), { reply: `${this.#inbox}.ended` })
        }
      }
    } catch (error) {
      this.#log.error({ at: 'sessions#check', ...failure(error) }, 'connections could not be looked at')
    } finally {
      this.#checking = false
    }
  }

  async #may(account: AccountId, key: AccountId, scope: Admitted['scope']): Promise<boolean> {
    try {
      const right = await this.#rights(account, key)
      return right !== null && right.until > Date.now() / 1_000 && (scope === 'read' || right.scope === 'trade')
    } catch (error) {
      if (error instanceof Refusal) return true
      throw error
    }
  }
}

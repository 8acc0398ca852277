import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node'
import { Refusal } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import { failure } from '../log.ts'
import type { Log } from '../log.ts'
import type { Invited } from './doorkeeper.ts'
import { readSessionName, TRADERS_ACCOUNT } from './permit.ts'
import type { AdmittedTrader, Session } from './permit.ts'

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

interface Connection {
  readonly cid: number
  readonly session: Session
}

interface Server {
  readonly seen_ms: number
  readonly connections: readonly Connection[]
}

/** Whose a connection counts as: an account's, or an operator's, who may be a trader with the same key besides. */
const holderOf = (session: Session): string => (session.right === 'operator' ? `operator ${session.key}` : session.account)

/**
 * The connections from outside, as the servers list them every second: the truth about them also for a gateway that was started a moment ago. Counts those of an account, and
 * ends those whose delegated key may no longer read, or that the venue file does not let in any more.
 */
export class Sessions {
  readonly #system: NatsConnection
  readonly #invited: Invited
  readonly #log: Log
  readonly #inbox: string
  readonly #subscription: Subscription
  readonly #timer: NodeJS.Timeout
  readonly #servers = new Map<string, Server>()
  /** Pages of a listing that has more of them, by server. */
  readonly #partial = new Map<string, Connection[]>()
  /** Admitted since the servers were last asked, so perhaps not listed yet. */
  #entered = new Map<string, number>()
  #enteredBefore = new Map<string, number>()
  #checking = false

  /** @param system connection in the server's system account @param name of this gateway */
  constructor(system: NatsConnection, name: string, invited: Invited, log: Log) {
    this.#system = system
    this.#invited = invited
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

  /** Takes one more connection of an account, or of an operator. @throws Refusal venue_overloaded where it has as many as it may */
  enter(session: Session): void {
    const holder = holderOf(session)
    if (this.#count(holder) >= limits.natsConnectionsPerAccount) throw new Refusal('venue_overloaded', 'connections')
    this.#entered.set(holder, (this.#entered.get(holder) ?? 0) + 1)
  }

  /** Connections of all traders, on all servers. */
  get size(): number {
    let listed = 0
    for (const { connections } of this.#servers.values()) for (const { session } of connections) if (session.right !== 'operator') listed++
    return listed
  }

  close(): void {
    clearInterval(this.#timer)
    if (!this.#system.isClosed()) this.#subscription.unsubscribe()
  }

  #count(holder: string): number {
    let listed = 0
    for (const { connections } of this.#servers.values()) for (const { session } of connections) if (holderOf(session) === holder) listed++
    return listed + (this.#entered.get(holder) ?? 0) + (this.#enteredBefore.get(holder) ?? 0)
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
      if (session !== undefined) all.push({ session, cid })
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

  /** Ends what may no longer be there. Where nobody can say, the next look asks again. */
  async #check(): Promise<void> {
    this.#checking = true
    const asked = new Map<string, Promise<boolean>>()
    try {
      for (const [server, { connections }] of this.#servers) {
        for (const { cid, session } of connections) {
          // The server does nothing for who wants no answer; what it says is seen at the next look.
          if (!(await this.#stays(session, asked))) this.#system.publish(`$SYS.REQ.SERVER.${server}.KICK`, JSON.stringify({ cid }), { reply: `${this.#inbox}.ended` })
        }
      }
    } catch (error) {
      this.#log.error({ at: 'sessions#check', ...failure(error) }, 'connections could not be looked at')
    } finally {
      this.#checking = false
    }
  }

  /** @param asked what vault actors have been asked at this look, by whose key */
  async #stays(session: Session, asked: Map<string, Promise<boolean>>): Promise<boolean> {
    const { traders, operators } = this.#invited
    if (session.right === 'operator') return operators.get(session.key) === session.may
    if (!traders) return false
    if (session.right !== 'delegate') return true
    const { account, key, scope } = session
    const name = `${account} ${key} ${scope}`
    const may = asked.get(name) ?? this.#may(account, key, scope)
    asked.set(name, may)
    return may
  }

  async #may(account: AccountId, key: AccountId, scope: AdmittedTrader['scope']): Promise<boolean> {
    try {
      const right = await this.#invited.rights(account, key)
      return right !== null && right.until > Date.now() / 1_000 && (scope === 'read' || right.scope === 'trade')
    } catch (error) {
      if (error instanceof Refusal) return true
      throw error
    }
  }
}

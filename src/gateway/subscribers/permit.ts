import { hash } from 'node:crypto'
import type { NatsSigningKey } from '../../enclave/natsKeys.ts'
import type { AccountId, MarketName } from '../../protocol/identity.ts'
import { operationsOf } from '../../protocol/nats.ts'
import type { OperatorRight } from '../../protocol/operator.ts'
import type { KeyScope } from '../../protocol/vault.ts'
import { traderInbox } from '../../protocol/subjects.ts'
import type { Subjects } from '../../protocol/subjects.ts'

/** By what right: the account's own key, one that it has delegated, or a temporary one that its statement names. */
export type Right = 'account' | 'delegate' | 'statement'

/** A trader's connection that may be there: for which account, with which key, for how long. */
export interface AdmittedTrader {
  readonly account: AccountId
  readonly key: AccountId
  readonly scope: KeyScope
  readonly right: Right
  /** Unix seconds. */
  readonly until: number
}

/** The same of an operator, by the venue file. */
export interface AdmittedOperator {
  readonly key: AccountId
  readonly may: OperatorRight
  readonly right: 'operator'
  readonly until: number
}

export type Admitted = AdmittedTrader | AdmittedOperator
/** What is known of a connection for as long as it is there. */
export type Session = Omit<AdmittedTrader, 'until'> | Omit<AdmittedOperator, 'until'>

/** nats-server's name of the account that traders and operators are in (deploy/nats/nats.conf). */
export const TRADERS_ACCOUNT = 'TRADERS'

/** What nats-server is told of a connection: a user JWT in an answer JWT. It ends the connection when the user JWT expires. */
export class Permits {
  readonly #issuer: NatsSigningKey
  readonly #subjects: Subjects
  readonly #tapes: readonly string[]

  /** @param taped markets with a public tape, which everybody may read who is let in */
  constructor(issuer: NatsSigningKey, subjects: Subjects, taped: readonly MarketName[] = []) {
    this.#issuer = issuer
    this.#subjects = subjects
    this.#tapes = taped.map((market) => subjects.tape(market))
  }

  /** @param user nkey that the server made for this one question @param server its id */
  grant(admitted: Admitted, user: string, server: string): string {
    const inbox = `${traderInbox(admitted.key)}.>`
    // All that it may do. The account has nothing else in it but feeds of others, requests of others, and tapes of markets.
    const { say, hear } = admitted.right === 'operator' ? { say: this.#ofOperator(admitted), hear: [] } : this.#ofTrader(admitted)
    const nats = {
      pub: { allow: say },
      sub: { allow: [...hear, inbox] },
      subs: -1,
      data: -1,
      payload: -1,
      type: 'user',
      version: 2,
    }
    const jwt = this.#signed({ sub: user, aud: TRADERS_ACCOUNT, name: sessionName(admitted), exp: admitted.until, nats })
    return this.#answer(user, server, { jwt })
  }

  /** @param reason for the server's log: whoever is refused hears nothing but that it is */
  refuse(reason: string, user: string, server: string): string {
    return this.#answer(user, server, { error: reason })
  }

  #ofTrader({ account, key, scope }: AdmittedTrader): { readonly say: readonly string[]; readonly hear: readonly string[] } {
    return { say: operationsOf(scope).map((operation) => this.#subjects.traderRequest(account, key, operation)), hear: [this.#subjects.feed(account), ...this.#tapes] }
  }

  #ofOperator({ key }: AdmittedOperator): readonly string[] {
    return (['desk', 'gateways'] as const).map((whom) => this.#subjects.operatorRequest(key, whom))
  }

  #answer(user: string, server: string, content: object): string {
    return this.#signed({ sub: user, aud: server, nats: { ...content, type: 'authorization_response', version: 2 } })
  }

  #signed(claims: object): string {
    const issued = { ...claims, iss: this.#issuer.address, iat: Math.floor(Date.now() / 1_000) }
    const jti = hash('sha256', JSON.stringify(issued), 'base64url')
    const text = `${HEADER}.${encoded({ jti, ...issued })}`
    return `${text}.${Buffer.from(this.#issuer.sign(text)).toString('base64url')}`
  }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const HEADER = encoded({ typ: 'JWT', alg: 'ed25519-nkey' })

/** As the server lists the connection's user: from it any gateway learns whose it is, also one that was not there when it came. */
const sessionName = (session: Session): string => (session.right === 'operator' ? `operator.${session.key}.${session.may}` : `${session.account}.${session.key}.${session.scope}.${session.right}`)

const traderPattern = /^([GC][A-Z2-7]{55})\.(G[A-Z2-7]{55})\.(read|trade)\.(account|delegate|statement)$/
const operatorPattern = /^operator\.(G[A-Z2-7]{55})\.(see|act)$/

export function readSessionName(name: string): Session | undefined {
  const [, operator, may] = operatorPattern.exec(name) ?? []
  if (operator !== undefined) return { key: operator as AccountId, may: may as OperatorRight, right: 'operator' }
  const [, account, key, scope, right] = traderPattern.exec(name) ?? []
  return account === undefined ? undefined : { account: account as AccountId, key: key as AccountId, scope: scope as KeyScope, right: right as Right }
}

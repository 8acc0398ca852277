import { hash } from '@stellar/stellar-sdk/base'
import { canonicalJson } from '../protocol/messages/canonical.ts'
import type { SignedMembers } from '../protocol/messages/canonical.ts'
import type { AmendMessage } from '../protocol/messages/amend.ts'
import type { CancelMessage } from '../protocol/messages/cancel.ts'
import type { CancelAllMessage } from '../protocol/messages/cancelAll.ts'
import type { DeadManMessage } from '../protocol/messages/deadMan.ts'
import type { DelegateMessage } from '../protocol/messages/delegate.ts'
import type { LoginMessage } from '../protocol/messages/login.ts'
import type { OrderMessage } from '../protocol/messages/order.ts'
import type { RevokeMessage } from '../protocol/messages/revoke.ts'
import type { Message } from '../protocol/messages/message.ts'
import type { SessionMessage } from '../protocol/messages/session.ts'
import type { WithdrawMessage } from '../protocol/messages/withdraw.ts'
import type { KeyScope } from '../protocol/vault.ts'
import type { Signer } from './signer.ts'

/** Body of a request that carries a signed message. */
export interface SignedRequest {
  readonly message: SignedMembers
  readonly signature: string
  readonly signer?: string
}

/** What every message of one account at one venue is bound to. */
export interface Binding {
  readonly network: string
  readonly vault: string
  readonly account: string
}

/** A market as messages name it: with the contracts of its assets. */
export interface MarketBinding {
  readonly name: string
  readonly base: string
  readonly quote: string
}

/** Decimals as strings, in the spelling the venue asks for: "0.12", not "0.120". */
export type NewOrder =
  | ({ readonly side: 'buy' | 'sell'; readonly type: 'limit'; readonly price: string; readonly quantity: string; readonly timeInForce: 'GTC' | 'GTD' | 'IOC' | 'FOK' } & Resting & Minimum & Prevention)
  | ({ readonly side: 'buy' | 'sell'; readonly type: 'market'; readonly price: string; readonly quantity: string; readonly timeInForce: 'IOC' | 'FOK' } & Minimum & Prevention)
  | ({ readonly side: 'buy'; readonly type: 'market'; readonly spend: string; readonly timeInForce: 'IOC' } & Prevention)

/** What an order may ask for besides, each left out unless wanted. What goes together: the rules of matching. */
export interface Resting {
  readonly postOnly?: 'true'
  readonly allOrNone?: 'true'
}
export interface Minimum {
  readonly minimum?: string
  readonly minimumPer?: 'counterparty'
  readonly remainder?: 'return'
}
export interface Prevention {
  readonly selfTrade?: 'cancelNewest' | 'cancelOldest' | 'cancelBoth' | 'decrement'
}

/** What another key may do for an account: never withdraw, delegate or revoke. */
export interface Delegation {
  /** `trade`: place, amend and cancel, and read. `read`: read. */
  readonly scope: 'trade' | 'read'
  /** The only market in which it may trade; otherwise all. A key that reads, reads everything. */
  readonly market?: string
  /** Unix seconds: it may nothing from then on. A year ahead at most. */
  readonly until: number
}

export interface Validity {
  /** Unix seconds. */
  readonly expires: number
  /** Default: random. The same nonce with the same contents is the same message. Of an order it is the client order id too: no two open orders have the same. */
  readonly nonce?: string
}

/** The id of a message: what the venue will call it. As messageId of the protocol, which has Node's own digest, wherever JavaScript runs. */
export function idOf(message: SignedMembers): string {
  return Array.from(hash(new TextEncoder().encode(`Stellar Signed Message:\n${canonicalJson(message)}`)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** 96 random bits in base64url. */
function randomNonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_')
}

const envelope = ({ network, vault, account }: Binding, { expires, nonce }: Validity) => ({
  network,
  vault,
  account,
  nonce: nonce ?? randomNonce(),
  expires: String(expires),
})

export function orderMessage(binding: Binding, market: MarketBinding, order: NewOrder, validity: Validity): OrderMessage {
  return { action: 'order', ...envelope(binding, validity), market: market.name, base: market.base, quote: market.quote, ...order }
}

export function cancelMessage(binding: Binding, order: string, validity: Validity): CancelMessage {
  return { action: 'cancel', ...envelope(binding, validity), order }
}

/** Of the open order whose message had that nonce. */
export function cancelByClientIdMessage(binding: Binding, clientOrderId: string, validity: Validity): CancelMessage {
  return { action: 'cancel', ...envelope(binding, validity), clientOrderId }
}

/** @param quantity the new total: what is filled and what is open */
export function amendMessage(binding: Binding, order: string, price: string, quantity: string, validity: Validity): AmendMessage {
  return { action: 'amend', ...envelope(binding, validity), order, price, quantity }
}

/** @param market a market's name, or "all" */
export function cancelAllMessage(binding: Binding, market: string, validity: Validity): CancelAllMessage {
  return { action: 'cancelAll', ...envelope(binding, validity), market }
}

/** @param timeout_s whole seconds; 0 ends the timer */
export function deadManMessage(binding: Binding, timeout_s: number, validity: Validity): DeadManMessage {
  return { action: 'deadMan', ...envelope(binding, validity), timeout: String(timeout_s) }
}

/** @param asset the asset's contract */
export function withdrawMessage(binding: Binding, asset: string, amount: string, validity: Validity): WithdrawMessage {
  return { action: 'withdraw', ...envelope(binding, validity), asset, amount }
}

export function delegateMessage(binding: Binding, key: string, { scope, market = 'all', until }: Delegation, validity: Validity): DelegateMessage {
  return { action: 'delegate', ...envelope(binding, validity), key, scope, market, until: String(until) }
}

export function revokeMessage(binding: Binding, key: string, validity: Validity): RevokeMessage {
  return { action: 'revoke', ...envelope(binding, validity), key }
}

/** Of one connection: its nonce is the challenge that the gateway greeted it with. */
export function loginMessage(binding: Binding, validity: Required<Validity>): LoginMessage {
  return { action: 'login', ...envelope(binding, validity) }
}

/** @param key a temporary one that is to read, or also hand in signed messages, until the message expires */
export function sessionMessage(binding: Binding, key: string, scope: KeyScope, validity: Validity): SessionMessage {
  return { action: 'session', ...envelope(binding, validity), key, scope }
}

/** Signs a message for sending. Names the signer only where it is not the account itself. */
export async function signRequest(message: Message, signer: Signer): Promise<SignedRequest> {
  const signature = await signer.signMessage(canonicalJson(message))
  return signer.address === message.account ? { message, signature } : { message, signature, signer: signer.address }
}

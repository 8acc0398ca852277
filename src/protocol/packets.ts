import type { ErrorCode } from './errors.ts'
import type { ActorName } from './identity.ts'

/** Where an answer goes: a gateway's name and the number it gave the request. It travels with the command from actor to actor. */
export interface ReplyTo {
  readonly gateway: string
  readonly request: number
}

/** Commands and queries of one gateway to one actor, in the order they were sent. At most once: a client repeats what got no answer. */
export interface ClientPacket<Command, Query> {
  readonly gateway: string
  readonly items: readonly ClientItem<Command, Query>[]
}
export type ClientItem<Command, Query> =
  | { readonly request: number; readonly command: Command }
  | { readonly request: number; readonly query: Query }

/** Answers to one gateway, in any order. */
export interface AnswerPacket {
  readonly from: ActorName
  readonly answers: readonly NumberedAnswer[]
}
/** The same of a shard, by the name of its node. */
export interface ShardAnswers {
  readonly from: string
  readonly answers: readonly NumberedAnswer[]
}
export interface NumberedAnswer {
  readonly request: number
  readonly answer: Answer
}
/** `found`: the thing that was asked about, as it stands, where that is why. */
export type Answer<Value = unknown> = { readonly ok: Value } | { readonly refused: ErrorCode; readonly detail?: string; readonly found?: Value }

/**
 * Messages of one actor to another. `first` is the position of `items[0]` in all that `from` ever sent to the receiver, counted
 * from 1; an empty packet asks for an acknowledgement.
 */
export interface PeerPacket<Message = unknown> {
  readonly from: ActorName
  readonly first: number
  readonly items: readonly Message[]
}

/** "I have applied, durably, everything you sent me up to this position." Sent by `from` to the actor that it has heard. */
export interface PeerAck {
  readonly from: ActorName
  readonly position: number
}

/** What an actor says of itself every second, and when it changes. */
export interface ActorStatus {
  readonly actor: ActorName
  /** The node it runs on, and the how-manieth owner it is: of two that speak, the higher one is right. */
  readonly node: string
  readonly epoch: number
  readonly state: 'replaying' | 'running' | 'draining' | 'stopped' | 'failed'
  /** Journal records it has written or replayed. */
  readonly records: number
  /** The record of the snapshot it began from; 0 where it began at the beginning. */
  readonly restored: number
  /** Bytes of journal it has written or replayed since. */
  readonly bytes: number
  /** Inputs waiting. */
  readonly backlog: number
  /** What somebody must look at. */
  readonly alarms: readonly ActorAlarm[]
}

/**
 * `peer_lost_records`: the peer has applied less than it acknowledged, so its journal has lost its end; what it lacks cannot be sent again.
 * `peer_behind`: the peer leaves more than `limits.outboxMessages` of what it was sent; what would cause more is not taken, or refused.
 */
export interface PeerAlarm {
  readonly kind: 'peer_lost_records' | 'peer_behind'
  readonly peer: ActorName
}

/**
 * `chain_diverged`: the channel on chain does not continue this actor's history. Nothing settles, and the venue takes only cancels, until an operator has looked.
 * `chain_unreachable`: fewer RPC endpoints answer than have to agree. Nothing settles, is co-signed, or is read of the chain.
 */
export interface ChainAlarm {
  readonly kind: 'chain_diverged' | 'chain_unreachable'
}

/** `journal_stalled`: an append has not been stored for so long that new commands are refused. The store is away, full, or very slow. */
export type ActorAlarm = PeerAlarm | ChainAlarm | { readonly kind: 'journal_stalled' }

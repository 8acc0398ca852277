import type { ActorName, Milliseconds } from '../../protocol/identity.ts'
import type { OwnedMessage } from '../../protocol/owned.ts'
import type { Answer, ReplyTo } from '../../protocol/packets.ts'

/**
 * The deterministic heart of an actor. Given the same calls with the same times it makes the same effects and the same state: no clock,
 * no randomness, no I/O, nothing that depends on the machine. The runtime journals what it was called with, and replays it.
 */
export interface Machine<Command = unknown, Query = unknown, Message = unknown, Local = unknown> {
  /** Time has come to `effects.time`. Called before the inputs of every batch; due things (expiries) happen here. */
  advance(effects: Effects): void
  /** A gateway's command. Answer it now, pass `reply` on, or answer later. */
  command(command: Command, reply: ReplyTo, effects: Effects): void
  /** A message of another actor: each exactly once, in the order it was sent. */
  message(from: ActorName, message: Message, effects: Effects): void
  /** An input of this actor's own driver (the part that does I/O for it): what the outside world answered. */
  local(input: Local, effects: Effects): void
  /** Reads state; answered once everything it shows is durable. Never journaled, never changes anything. */
  query(query: Query): Answer
  /** When `advance` next has something to do, or null. */
  deadline(): Milliseconds | null
  /**
   * All of its state. The same history gives the same bytes, whether it was lived, replayed, or begun from a snapshot. It starts with a
   * version of its own, so that a later machine can tell what it reads.
   */
  snapshot(): Uint8Array
  /**
   * Takes a snapshot's state over, into a machine that nothing has happened to yet. What comes next has the effects it would have had.
   * @throws Error where the bytes are not a snapshot that it knows; the machine is then as it was
   */
  restore(bytes: Uint8Array): void
}

/** What a machine may cause. Nothing of it leaves before the batch that caused it is durable. */
export interface Effects {
  /** The batch's time: never lower than any earlier batch's, across restarts. */
  readonly time: Milliseconds
  /** The actor's digest chain before this batch (digest.ts): it stands for everything that the actor has done before. */
  readonly digest: Uint8Array
  /** Number of the journal record that this batch becomes. */
  readonly record: number
  /** Term of the actor's owner: each that takes the journal over has the next. */
  readonly epoch: number
  /** To another actor, exactly once, in order. */
  send(to: ActorName, message: unknown): void
  /** To the gateway that asked. Lost if the actor or the gateway dies first: the client asks again. Not repeated on replay. */
  answer(to: ReplyTo, answer: Answer): void
  /** To a trader's feed, a market's tape or a channel's leaves, at least once and in order; the number in the message tells a repeat. */
  publish(message: OwnedMessage): void
  /** Messages to `to` that it has not acknowledged. Part of replayed state, so a machine may decide by it. */
  backlog(to: ActorName): number
}

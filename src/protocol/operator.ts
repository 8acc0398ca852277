import { Type } from 'typebox'
import type { Static } from 'typebox'
import { limits } from './limits.ts'
import { Account, Digest } from './messages/members.ts'
import type { Answer } from './packets.ts'
import { nodeName } from './subjects.ts'

// What operators without the venue's root key ask of it, over NATS: nobody has the root key of a venue that runs in confidential VMs. Each request goes to
// `dp.v1.<venue>.operator.<key>.desk`, which one gateway hears, or `….gateways`, which each of them does. Requests are JSON; answers are in the venue's own encoding
// (codec.ts), since they carry what actors answer. The venue file names the keys, and what each may.

const closed = { additionalProperties: false }
const Actor = Type.String({ pattern: '^[a-z]{1,16}\\.[A-Za-z0-9-]{1,32}$' })
const Node = Type.String({ pattern: nodeName.source })
const Ticks = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

/** `see`: looks at everything that an operator is shown. `act`: the same, and changes what runs. */
export const OperatorRight = Type.Union([Type.Literal('see'), Type.Literal('act')])
export type OperatorRight = Static<typeof OperatorRight>

/** What an actor may be asked; each kind of actor knows its own. */
const Query = Type.Union([
  Type.Object({ kind: Type.Literal('market') }, closed),
  Type.Object({ kind: Type.Literal('status') }, closed),
  Type.Object({ kind: Type.Literal('alarms') }, closed),
  Type.Object({ kind: Type.Literal('withdrawals'), account: Type.Union([Account, Type.Null()]), closed: Type.Boolean(), limit: Type.Integer({ minimum: 1, maximum: limits.listedOrders }) }, closed),
  Type.Object({ kind: Type.Literal('cosigns'), withdrawals: Type.Array(Digest, { maxItems: limits.listedOrders }) }, closed),
])
/** What an actor may be told: pairs alone take commands of operators. */
const Command = Type.Union([
  Type.Object({ kind: Type.Literal('control'), state: Type.Union([Type.Literal('open'), Type.Literal('cancelOnly'), Type.Literal('halted')]), lowTicks: Ticks, highTicks: Ticks }, closed),
  Type.Object({ kind: Type.Literal('sweep') }, closed),
])

/** What each kind of request says, and who may make it. */
export const deskRequests = {
  /** The venue file, as the gateway has it. Answered with VenueFile. */
  venue: { may: 'see', shape: Type.Object({ kind: Type.Literal('venue') }, closed) },
  /** Answered with ActorStatus[]: the last word of each actor that was heard within three seconds. */
  statuses: { may: 'see', shape: Type.Object({ kind: Type.Literal('statuses') }, closed) },
  /** Answered with DeskPlacement: nodes, leases, pins. */
  placement: { may: 'see', shape: Type.Object({ kind: Type.Literal('placement') }, closed) },
  /** Answered with what the actor answers. */
  ask: { may: 'see', shape: Type.Object({ kind: Type.Literal('ask'), actor: Actor, query: Query }, closed) },
  /** The metrics of the shard that is a node, at most as old as a page of them lasts. Answered with Readings[] (src/monitoring/meters.ts). */
  shardMetrics: { may: 'see', shape: Type.Object({ kind: Type.Literal('shardMetrics'), node: Node }, closed) },
  /** Answered with what the actor answers. */
  tell: { may: 'act', shape: Type.Object({ kind: Type.Literal('tell'), actor: Actor, command: Command }, closed) },
  /** Has the shard that is a node take a snapshot. Answered with TakenSnapshot. */
  snapshot: { may: 'act', shape: Type.Object({ kind: Type.Literal('snapshot'), node: Node, actor: Actor }, closed) },
  /** Pins an actor to a node; null lets it go where it belongs. Answered with null. */
  pin: { may: 'act', shape: Type.Object({ kind: Type.Literal('pin'), actor: Actor, node: Type.Union([Node, Type.Null()]) }, closed) },
  /** Has every actor leave a node, and none go there, or lets them again. Answered with null. */
  drain: { may: 'act', shape: Type.Object({ kind: Type.Literal('drain'), node: Node, drained: Type.Boolean() }, closed) },
} as const satisfies Record<string, { readonly may: OperatorRight; readonly shape: unknown }>
export type DeskRequestKind = keyof typeof deskRequests

export const DeskRequest = Type.Union([
  deskRequests.venue.shape,
  deskRequests.statuses.shape,
  deskRequests.placement.shape,
  deskRequests.ask.shape,
  deskRequests.shardMetrics.shape,
  deskRequests.tell.shape,
  deskRequests.snapshot.shape,
  deskRequests.pin.shape,
  deskRequests.drain.shape,
])
export type DeskRequest = Static<typeof DeskRequest>

/** The entries of the placement bucket (src/actors/placement/keys.ts), with the revision of each. */
export type DeskPlacement = readonly (readonly [key: string, entry: { readonly value: string | null; readonly revision: number }])[]

/**
 * Every answer of the desk, and of each gateway. Besides what actors and shards refuse: `operator_may_not`, `request_malformed`, `request_too_large`, `rate_exceeded`, `venue_overloaded`,
 * `signer_not_allowed` of a key that the venue file does not name any more, `answer_too_large`, `internal_error`. `outcome_unknown`: whom it asked has not answered,
 * and may have done it all the same; what an operator says may be said twice.
 */
export type DeskAnswer<Value = unknown> = Answer<Value>

/** What each gateway answers on `….gateways`, as a DeskAnswer, where an empty message asks: its name, and its metrics as Readings[]. */
export interface GatewayReadings {
  readonly gateway: string
  readonly readings: readonly (readonly object[])[]
}

/** How a shard, or the worker of one actor, ended: the numbers of BSD's sysexits.h. */
export const exitCodes = {
  drained: 0,
  /** The command line is wrong. */
  usage: 64,
  /** The actor's journal is damaged, incomplete, or not to be read with this key. */
  journal: 65,
  /** NATS cannot be reached or refuses us. */
  unavailable: 69,
  /** A machine threw, or its journal refused for good. */
  failed: 70,
  /** Another owner writes the actor's journal. */
  fenced: 75,
  /** The venue's configuration is wrong. */
  configuration: 78,
} as const

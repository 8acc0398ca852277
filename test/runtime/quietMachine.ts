import type { Machine } from '../../src/actors/runtime/machine.ts'

/** Takes everything and does nothing: what a machine that a test puts in its place is made from. */
export const quiet: Machine = {
  advance: () => undefined,
  command: () => undefined,
  message: () => undefined,
  local: () => undefined,
  query: () => ({ ok: null }),
  deadline: () => null,
  snapshot: () => new Uint8Array(),
  restore: () => undefined,
}

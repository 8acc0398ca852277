import type { Hosted } from '../../src/actors/runtime/driver.ts'
import type { Machine } from '../../src/actors/runtime/machine.ts'

// Stands where the settlement module does: a settlement actor whose machine fails at every start, a watcher whose driver works.

const quiet: Machine = {
  advance: () => undefined,
  command: () => undefined,
  message: () => undefined,
  local: () => undefined,
  query: () => ({ ok: null }),
  deadline: () => null,
  snapshot: () => new Uint8Array(),
  restore: () => undefined,
}

export const createSettlement = (): Hosted => ({
  machine: {
    ...quiet,
    deadline: () => {
      throw new Error('this machine fails at every start')
    },
  },
})

export const createWatcher = (): Hosted => ({
  machine: quiet,
  drive: (actor) => {
    void actor.submit({ started: true })
    return { stop: async () => undefined }
  },
})

import type { Hosted } from '../../src/actors/runtime/driver.ts'
import { quiet } from './quietMachine.ts'

// Stands where the settlement module does: a settlement actor whose machine fails at every start, a watcher whose driver works.

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

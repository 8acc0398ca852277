import type { Hosted } from '../../src/actors/runtime/driver.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import { quiet } from './quietMachine.ts'

// Stands where the settlement module does: a watcher whose machine says something else in every thread that it runs in, as one would whose memory is bad.

export const createSettlement = (): Hosted => ({ machine: quiet })

export const createWatcher = (): Hosted => {
  const mood = Math.random()
  return {
    machine: { ...quiet, local: (_, effects) => effects.send('settlement.0' as ActorName, mood) },
    drive: (actor) => {
      void actor.submit({ started: true })
      return { stop: async () => undefined }
    },
  }
}

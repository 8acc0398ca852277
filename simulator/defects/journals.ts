import { InDoubt } from '../../src/actors/runtime/appender.ts'
import type { Defect, JournalPlace } from './defect.ts'

const endOf = ({ journals, actor }: JournalPlace): number => journals.end(actor)

export const effectsFirst: Defect = {
  name: 'effects-first',
  what: 'An append resolves before the record is stored, so that effects leave first.',
  journal: (journal) => {
    let last = Promise.resolve()
    return {
      replay: (after) => journal.replay(after),
      append: async (record) => {
        // Whoever does not wait does not hear of a refusal either.
        last = last.then(() => journal.append(record)).catch(() => undefined)
      },
      forget: (position) => journal.forget(position),
    }
  },
}

export const leaseBelieved: Defect = {
  name: 'lease-believed',
  what: 'An owner appends behind whatever the journal ends with, because a lease once said that it may.',
  store: (store, place) => ({ append: (record, id) => store.append(record, id, endOf(place)), last: () => store.last() }),
}

export const doubtIsSuccess: Defect = {
  name: 'doubt-is-success',
  what: 'An append without an answer counts as stored.',
  store: (store, place) => ({
    append: async (record, id, after) => {
      try {
        return await store.append(record, id, after)
      } catch (error) {
        if (error instanceof InDoubt) return endOf(place)
        throw error
      }
    },
    last: () => store.last(),
  }),
}

export const doubtIsFailure: Defect = {
  name: 'doubt-is-failure',
  what: 'An append without an answer counts as lost, and goes out again under a new id behind whatever stands there by now.',
  store: (store, place) => ({
    append: async (record, id, after) => {
      let predecessor = after
      for (let attempt = 1; ; attempt++) {
        try {
          return await store.append(record, `${id}.${attempt}`, predecessor)
        } catch (error) {
          if (!(error instanceof InDoubt)) throw error
          predecessor = endOf(place)
        }
      }
    },
    last: () => store.last(),
  }),
}

export const notSynced: Defect = {
  name: 'not-synced',
  what: 'The last record that was acknowledged is gone after a restart.',
  journal: (journal, { journals, actor, before }) => {
    if (before > 0) journals.lose(actor)
    return journal
  },
}

import { NeverSent, OutcomeUnknown } from '../client/errors.ts'

/** What the command ends with. */
export const exits = { done: 0, failed: 1, usage: 2, refused: 3, neverSent: 4, outcomeUnknown: 5 } as const

/** The command line, or a file it names, is not what the command needs: one sentence, exit code 2. */
export class UsageFault extends Error {
  constructor(sentence: string, cause?: unknown) {
    super(sentence, { cause })
    this.name = 'UsageFault'
  }
}

/** It cannot be done as things stand, and nothing was: one sentence, exit code 3. */
export class Declined extends Error {
  constructor(sentence: string, cause?: unknown) {
    super(sentence, { cause })
    this.name = 'Declined'
  }
}

/** The venue's NATS cannot be reached, and nothing was said: exit code 4. */
export class NatsAway extends NeverSent {
  constructor(sentence: string, cause: unknown) {
    super(cause)
    this.message = sentence
    this.name = 'NatsAway'
  }
}

/** Something was said to a part of the venue, and it has not answered: exit code 5. */
export class Unanswered extends OutcomeUnknown {
  constructor(sentence: string) {
    super(undefined)
    this.message = `${sentence}: say the same again, \`darkpool status\` shows who runs`
    this.name = 'Unanswered'
  }
}

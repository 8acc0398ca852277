import type { BatchResult } from '../../src/client/batch.ts'
import { NeverSent, OutcomeUnknown, Refused } from '../../src/client/errors.ts'
import type { SignedRequest } from '../../src/client/messages.ts'
import { messageId } from '../../src/protocol/messages/messageId.ts'
import type { PlaceOrder } from '../../src/protocol/vault.ts'
import { resting } from '../gateway/fakeVault.ts'
import type { Script } from '../gateway/fakeVault.ts'

export type Mood = 'takes' | 'poor' | 'busy' | 'silent'

/** A vault actor that takes, refuses or leaves without an answer as it is told, knows what it has taken, and so what a client may say became of it. */
export class MoodyVault {
  /** What it does with copies of what it does not know yet: in turn, then takes them. */
  moods: Mood[] = []
  /** Orders that took effect, and how often each was heard of. */
  readonly #taken = new Set<string>()
  readonly #heard = new Map<string, number>()

  readonly script: Script = (asked) => {
    const { id } = asked as PlaceOrder
    this.#heard.set(id, (this.#heard.get(id) ?? 0) + 1)
    const mood = this.#taken.has(id) ? 'takes' : (this.moods.shift() ?? 'takes')
    if (mood === 'poor') return { answer: { refused: 'funds_insufficient' } }
    if (mood === 'busy') return { answer: { refused: 'market_unavailable' } }
    this.#taken.add(id)
    return mood === 'silent' ? null : resting(asked as PlaceOrder)
  }

  /** Throws where what was said and what happened differ; called when nothing is under way any more. */
  hold({ order, error }: BatchResult<{ readonly id: string }>, { message }: SignedRequest): void {
    const id = messageId(message)
    const taken = this.#taken.has(id)
    if (order !== undefined && (order.id !== id || !taken)) throw new Error('said to be taken, and was not')
    if (error instanceof Refused && taken) throw new Error(`said to be refused (${error.code}), and was taken`)
    if (error instanceof NeverSent && this.#heard.has(id)) throw new Error('said to be never sent, and was heard')
    if ((error instanceof NeverSent || error instanceof OutcomeUnknown) && error.request?.signature === undefined) throw new Error('nothing to send again')
  }
}

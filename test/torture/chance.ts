/** Choices from a seed, so that a run can be repeated as far as processes and clocks allow. */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bd1e995) | 1
    for (let i = 0; i < 8; i++) this.below(2)
  }

  below(limit: number): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return (state >>> 0) % limit
  }

  from<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!
  }
}

/** Numbers from a seed, the same ones in every run: xorshift on 32 bits. */
export class Dice {
  #state = 0x2545f491

  /** 0 … limit − 1. */
  below(limit: number): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return (state >>> 0) % limit
  }
}

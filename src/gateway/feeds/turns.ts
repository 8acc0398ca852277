import { Refusal } from '../../protocol/errors.ts'

/** So many at a time, so many more in line, in the order in which they came; whoever finds the line full is refused. */
export class Turns {
  readonly #atOnce: number
  readonly #inLine: number
  readonly #line: (() => void)[] = []
  #running = 0

  constructor(atOnce: number, inLine: number) {
    this.#atOnce = atOnce
    this.#inLine = inLine
  }

  /** @throws Refusal venue_overloaded, and what `work` throws */
  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#atOnce) this.#running++
    else if (this.#line.length >= this.#inLine) throw new Refusal('venue_overloaded')
    // Whoever leaves hands its turn over.
    else await new Promise<void>((resolve) => this.#line.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#line.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}

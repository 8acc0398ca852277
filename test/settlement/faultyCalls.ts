/** A target with some of its calls replaced. */
export const withCalls = <T extends object>(target: T, calls: Partial<T>): T => new FaultyCalls().wrap(target, calls)

/**
 * Stands between a driver and what it calls (the RPC, its actor), counts the calls and makes one of them hang, before it does anything or
 * after it has done it: what a process killed at that place leaves behind.
 */
export class FaultyCalls {
  readonly #hangAt: number
  readonly #when: 'before' | 'after'
  readonly #release = Promise.withResolvers<void>()
  calls = 0
  hung: string | null = null

  constructor(hangAt = Infinity, when: 'before' | 'after' = 'before') {
    this.#hangAt = hangAt
    this.#when = when
  }

  /** Lets the dead process's call go on after all: a packet that was still on its way. */
  release(): void {
    this.#release.resolve()
  }

  wrap<T extends object>(target: T, overrides: Partial<T> = {}): T {
    return new Proxy(target, {
      get: (_, name) => {
        const overridden = (overrides as Record<PropertyKey, unknown>)[name]
        const value: unknown = overridden ?? (target as Record<PropertyKey, unknown>)[name]
        if (typeof value !== 'function') return value
        const call = (...args: unknown[]): unknown => (value as (...args: unknown[]) => unknown).apply(target, args)
        return name === 'onDurable' ? call : (...args: unknown[]) => this.#call(String(name), () => call(...args))
      },
    })
  }

  async #call(name: string, call: () => unknown): Promise<unknown> {
    const mine = ++this.calls === this.#hangAt
    if (mine && this.#when === 'before') await this.#hang(`before ${name}`)
    const result = await call()
    if (mine && this.#when === 'after') await this.#hang(`after ${name}`)
    return result
  }

  async #hang(where: string): Promise<void> {
    this.hung = where
    await this.#release.promise
  }
}

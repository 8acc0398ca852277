/** What must never happen, and has. */
export class Violation extends Error {
  /** Stable name of the rule that was broken. */
  readonly rule: string

  constructor(rule: string, what: string) {
    super(`${rule}: ${what}`)
    this.name = 'Violation'
    this.rule = rule
  }
}

/** Keeps the first violation: a machine that is told inside of one would take it for its own failure. */
export class Verdict {
  #violation: Violation | null = null

  get violation(): Violation | null {
    return this.#violation
  }

  broken(rule: string, what: string): void {
    this.#violation ??= new Violation(rule, what)
  }

  /** Holds, or else: the rule is broken. */
  holds(condition: boolean, rule: string, what: () => string): void {
    if (!condition) this.broken(rule, what())
  }
}

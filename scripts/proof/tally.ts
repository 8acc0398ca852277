/** What passed and what failed so far, over all kinds of tests. */
export class Tally {
  passed = 0
  failed = 0

  add(other: { readonly passed: number; readonly failed: number }): void {
    this.passed += other.passed
    this.failed += other.failed
  }

  /** The last line of every test run. */
  get line(): string {
    return `${this.passed} passed, ${this.failed} failed`
  }
}

const TICK_ms = 250
/** Without a terminal a line per quarter minute says that work goes on. */
const QUIET_ms = 15_000

/** Where work of several steps reports what it is at. */
export interface Progress {
  /** Runs one step. `note` shows what it is at while it runs; what `done` makes of its value stands behind the title afterwards. */
  run<T>(title: string, work: (note: (text: string) => void) => Promise<T>, done?: (value: T) => string): Promise<T>
  say(text: string): void
}

/** For programs whose output is something else. */
export const silent: Progress = { run: (_title, work) => work(() => undefined), say: () => undefined }

/** Says what is being done, for how long, and how it ended: one line per step. */
export class Steps implements Progress {
  readonly #out: NodeJS.WriteStream
  readonly #started = performance.now()

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out
  }

  async run<T>(title: string, work: (note: (text: string) => void) => Promise<T>, done: (value: T) => string = () => ''): Promise<T> {
    const started = performance.now()
    const terminal = this.#out.isTTY
    let noted = ''
    let spoken = started
    const tick = (): void => {
      const elapsed = seconds(performance.now() - started)
      if (terminal) this.#out.write(`\r\x1b[2K  ${title} … ${elapsed}${noted && `  ${noted.slice(0, Math.max(0, this.#out.columns - title.length - 20))}`}`)
      else if (performance.now() - spoken >= QUIET_ms) {
        spoken = performance.now()
        this.#out.write(`  ${title} … ${elapsed}${noted && `  ${noted}`}\n`)
      }
    }
    const timer = setInterval(tick, TICK_ms)
    const finish = (mark: string, detail: string): void => {
      clearInterval(timer)
      this.#out.write(`${terminal ? '\r\x1b[2K' : ''}${mark} ${title.padEnd(26)} ${seconds(performance.now() - started).padStart(8)}  ${detail}`.trimEnd() + '\n')
    }
    if (terminal) tick()
    try {
      const value = await work((text) => (noted = text.trim()))
      finish('✓', done(value))
      return value
    } catch (error) {
      finish('✗', 'failed')
      throw error
    }
  }

  say(text: string): void {
    this.#out.write(`${text}\n`)
  }

  /** Time since the first step. */
  get elapsed(): string {
    return seconds(performance.now() - this.#started)
  }
}

/** A duration for people: "3.2 s", "2 min 05 s". */
export function seconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds / 1000)
  if (whole < 60) return `${(milliseconds / 1000).toFixed(1)} s`
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
}

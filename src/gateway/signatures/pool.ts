import { Piscina } from 'piscina'
import { CHECK_BYTES, DIGEST_BYTES, KEY_BYTES, SIGNATURE_BYTES, TASK_CHECKS } from './packing.ts'

/** Called once: whether the signature fits, or the failure of the thread that should have told. */
export type Checked = (valid: boolean, failure: Error | null) => void

interface Check {
  readonly key: Uint8Array
  readonly signature: string
  readonly digest: string
  readonly checked: Checked
}

/**
 * Checks signatures on threads. What arrives in one turn of the event loop, or while every thread is busy, is packed into shared tasks:
 * handing a task over costs about as much as checking half a signature.
 */
export class SignaturePool {
  readonly #threads: number
  readonly #pool: Piscina<Uint8Array, Uint8Array>
  #waiting: Check[] = []
  #busy = 0
  #scheduled = false

  constructor(threads: number) {
    this.#threads = threads
    this.#pool = new Piscina({
      filename: new URL('./verifier.ts', import.meta.url).href,
      // As many as there ever will be: a pool that may shrink starts and kills threads under load.
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Infinity,
      // Its histograms cost more than handing over a small task does.
      recordTiming: false,
    })
  }

  /** Signatures that no thread has yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** @param signature base64 of 64 bytes @param digest hex of 32 bytes */
  verify(key: Uint8Array, signature: string, digest: string, checked: Checked): void {
    if (key.length !== KEY_BYTES) throw new Error('an ed25519 key has 32 bytes')
    this.#waiting.push({ key, signature, digest, checked })
    if (this.#scheduled || this.#busy === this.#threads) return
    this.#scheduled = true
    // After the poll phase: all requests that this turn read from their sockets are here by then.
    setImmediate(() => {
      this.#scheduled = false
      this.#dispatch()
    })
  }

  /** Another job for the same threads: rare and long ones, such as login challenges. */
  run<Task, Result>(task: Task, filename: string, name: string): Promise<Result> {
    return this.#pool.run(task as never, { filename, name }) as Promise<unknown> as Promise<Result>
  }

  /** Runs a job once in every thread, so that loading its code does not hold up signatures later. */
  async load<Task>(task: Task, filename: string, name: string): Promise<void> {
    await Promise.all(Array.from({ length: this.#threads }, () => this.run(task, filename, name)))
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  #dispatch(): void {
    while (this.#busy < this.#threads && this.#waiting.length > 0) {
      const share = Math.ceil(this.#waiting.length / (this.#threads - this.#busy))
      this.#start(this.#waiting.splice(0, Math.min(share, TASK_CHECKS)))
    }
  }

  #start(checks: readonly Check[]): void {
    const packed = pack(checks)
    this.#busy++
    this.#pool.run(packed, { transferList: [packed.buffer] }).then(
      (valid) => {
        this.#finish()
        checks.forEach(({ checked }, i) => checked((valid[i >> 3]! & (1 << (i & 7))) !== 0, null))
      },
      (failure: unknown) => {
        this.#finish()
        for (const { checked } of checks) checked(false, failure instanceof Error ? failure : new Error('a signature thread failed'))
      },
    )
  }

  #finish(): void {
    this.#busy--
    // Before the answers are handed on, so that the thread does not wait for what they cause.
    this.#dispatch()
  }
}

function pack(checks: readonly Check[]): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(new ArrayBuffer(checks.length * CHECK_BYTES))
  let at = 0
  for (const { key, signature, digest } of checks) {
    bytes.set(key, at)
    at += KEY_BYTES
    const signed = bytes.write(signature, at, SIGNATURE_BYTES, 'base64')
    at += SIGNATURE_BYTES
    const hashed = bytes.write(digest, at, DIGEST_BYTES, 'hex')
    at += DIGEST_BYTES
    if (signed !== SIGNATURE_BYTES || hashed !== DIGEST_BYTES) throw new Error('a signature or digest of the wrong length passed its schema')
  }
  return bytes
}

import type { Transport } from '../../src/actors/runtime/transport.ts'

/** Stands for the network in one process: the bench hands packets in and looks at what comes out, so that only actor and journal are measured. */
export class Loopback implements Transport {
  readonly #receivers = new Map<string, (data: Uint8Array) => void>()
  readonly #published: (subject: string, data: Uint8Array) => void

  constructor(published: (subject: string, data: Uint8Array) => void = () => undefined) {
    this.#published = published
  }

  deliver(subject: string, data: Uint8Array): void {
    const receive = this.#receivers.get(subject)
    if (receive === undefined) throw new Error(`nobody listens on ${subject}`)
    receive(data)
  }

  publish(subject: string, data: Uint8Array): void {
    this.#published(subject, data)
  }

  subscribe(subject: string, receive: (data: Uint8Array) => void): () => void {
    this.#receivers.set(subject, receive)
    return () => void this.#receivers.delete(subject)
  }

  onReconnect(): () => void {
    return () => undefined
  }

  async flush(): Promise<void> {
    // Nothing is under way between two calls.
  }
}

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { rpc } from '@stellar/stellar-sdk'
import { paths } from '../../scripts/setup/paths.ts'
import { freePort } from '../../scripts/venue/ports.ts'
import { openRpc } from '../../src/settlement/stellarRpc.ts'

export const PASSPHRASE = 'Darkpool settlement tests'
const binary = process.env['LOCALNET'] ?? paths.localnet

/** A local Stellar network of this test alone: the real host, on a port of its own, with its state in a temporary folder. */
export class LocalChain {
  readonly #state = mkdtempSync(join(tmpdir(), 'darkpool-chain-'))
  readonly #ledgerTime: string
  readonly #admin: boolean
  readonly #port: number
  #process: ChildProcess | undefined
  server: rpc.Server

  private constructor(port: number, ledgerTime: string, admin: boolean) {
    this.#port = port
    this.#ledgerTime = ledgerTime
    this.#admin = admin
    this.server = undefined as never
  }

  /** `ledgerTime` in seconds, or `manual`. @param admin whether time can be made to jump; by hand it can be in any case */
  static async start(ledgerTime: string, admin = ledgerTime === 'manual'): Promise<LocalChain> {
    if (!existsSync(binary) || !existsSync(paths.wasm)) throw new Error('the Rust parts are not built: scripts/build-contract.sh builds the contract, cargo build --profile localnet the network')
    const chain = new LocalChain(await freePort(), ledgerTime, admin)
    await chain.start()
    return chain
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Starts it again, on the same port and state. */
  async start(): Promise<void> {
    const child = spawn(binary, ['--port', String(this.#port), '--ledger-time', this.#ledgerTime, '--state', this.#state, '--passphrase', PASSPHRASE, '--admin', this.#admin ? 'on' : 'off'], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#process = child
    let output = ''
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-2_000)
        if (output.includes(this.url)) resolve()
      })
      child.once('exit', (code) => reject(new Error(`localnet ended with ${code}`)))
      child.once('error', reject)
    })
    this.server = openRpc(this.url)
  }

  async stop(): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }

  /** Stops it and removes its state. */
  async end(): Promise<void> {
    await this.stop()
    rmSync(this.#state, { recursive: true, force: true })
  }

  /** Goes ahead in time, in one ledger. */
  async jump(seconds: number): Promise<void> {
    await this.admin('POST', 'jump', { seconds })
  }

  /** Closes ledgers by hand. */
  async close(ledgers = 1): Promise<void> {
    for (let n = 0; n < ledgers; n++) await this.admin('POST', 'close')
  }

  /** What only a network for tests can be told (docs/localnet.md). @returns its answer */
  async admin(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.url}/admin/${path}`, { method, ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }) })
    const answer = await response.text()
    if (!response.ok) throw new Error(`${method} /admin/${path}: ${response.status} ${answer}`)
    return answer === '' ? null : (JSON.parse(answer) as unknown)
  }
}

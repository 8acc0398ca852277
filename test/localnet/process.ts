// Starts and stops a localnet. Other suites can use this as it is: `startLocalnet` resolves when
// the network answers, and `stop` when its state is on disk.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const binary = resolve(import.meta.dirname, '../../contract/target/localnet/localnet')
const START_TIMEOUT_MS = 20_000

export interface LocalnetOptions {
  /** Seconds between ledgers, or 'manual'. */
  ledgerTime?: number | 'manual'
  /** Where the ledger is kept. Left out: a new directory that `stop` removes. */
  state?: string
  passphrase?: string
  port?: number
  /** Further arguments. */
  args?: string[]
}

export interface Localnet {
  url: string
  passphrase: string
  state: string
  child: ChildProcess
  /** Closes a ledger now. */
  close: () => Promise<number>
  /** Asks the admin interface; fails with its sentence. */
  admin: (method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) => Promise<Record<string, unknown>>
  /** Ends the process in order; resolves with its exit code. */
  stop: () => Promise<number | null>
  /** Ends it as a crash would. */
  kill: () => Promise<void>
}

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs localnet with arguments that should end it soon, and says how it ended. */
export async function runLocalnet(args: string[]): Promise<Ended> {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()))
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

export async function startLocalnet(options: LocalnetOptions = {}): Promise<Localnet> {
  if (!existsSync(binary)) {
    throw new Error(`${binary} is missing; build it: cd contract && cargo build --profile localnet -p localnet`)
  }
  const passphrase = options.passphrase ?? 'Localnet test ; 2026'
  const ownState = options.state === undefined
  const state = options.state ?? (await mkdtemp(join(tmpdir(), 'localnet-')))
  const child = spawn(
    binary,
    [
      '--port', String(options.port ?? 0),
      '--ledger-time', String(options.ledgerTime ?? 0.2),
      '--state', state,
      '--passphrase', passphrase,
      ...(options.args ?? [])
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] }
  )
  let stderr = ''
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()))
  const exited = once(child, 'exit') as Promise<[number | null]>

  const url = await new Promise<string>((found, failed) => {
    const timer = setTimeout(() => failed(new Error('localnet did not start in time')), START_TIMEOUT_MS)
    // All of the output is read, or the pipe would fill up and hold the process.
    createInterface({ input: child.stdout }).on('line', line => {
      const match = /^localnet at (\S+),/.exec(line)
      if (match?.[1] === undefined) return
      clearTimeout(timer)
      found(match[1])
    })
    exited.then(([code]) => {
      clearTimeout(timer)
      failed(new Error(`localnet ended with code ${code}: ${stderr}`))
    }, failed)
  })

  const forget = async (): Promise<void> => {
    if (ownState) await rm(state, { recursive: true, force: true })
  }
  return {
    url,
    passphrase,
    state,
    child,
    async close() {
      const answer = await fetch(`${url}/admin/close`, { method: 'POST' })
      const { ledger } = (await answer.json()) as { ledger: number }
      return ledger
    },
    async admin(method, path, body) {
      const answer = await fetch(`${url}/admin/${path}`, {
        method,
        ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
      })
      const text = await answer.text()
      if (!answer.ok) throw new Error(`${answer.status} ${text}`)
      return JSON.parse(text) as Record<string, unknown>
    },
    async stop() {
      if (child.exitCode === null) child.kill('SIGTERM')
      const [code] = await exited
      await forget()
      return code
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    }
  }
}

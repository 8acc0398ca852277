import { mkdirSync } from 'node:fs'
import { paths } from '../setup/paths.ts'
import { LOOPBACK } from './ports.ts'
import type { ServerPlan } from './serverProcess.ts'
import type { StateFolder } from './stateFolder.ts'

export interface LocalnetSettings {
  readonly port: number
  /** Seconds between ledgers, read at each start. */
  readonly ledgerTime_s: () => number
}

/** A Stellar network of one process, whose ledger is executed by the host that validators run. */
export function localnet(state: StateFolder, settings: LocalnetSettings): ServerPlan {
  return {
    name: 'localnet',
    start: [paths.localnet],
    args: () => {
      mkdirSync(state.file('chain'), { recursive: true })
      return ['--state', state.file('chain'), '--port', String(settings.port), '--ledger-time', String(settings.ledgerTime_s())]
    },
    log: state.file('logs', 'localnet.log'),
    ipc: false,
    serves: () => healthy(rpcUrl(settings.port)),
    grace_ms: 15_000,
  }
}

export const rpcUrl = (port: number): string => `http://${LOOPBACK}:${port}`

async function healthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'getHealth' }),
      signal: AbortSignal.timeout(2_000),
    })
    const { result } = (await response.json()) as { result?: { status?: unknown } }
    return result?.status === 'healthy'
  } catch {
    // Not listening yet: asked again.
    return false
  }
}

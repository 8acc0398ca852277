import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GuestAgent } from '../../src/enclave/guestAgent.ts'
import { Attestor } from '../../src/enclave/holder/attestor.ts'
import { holderSocket, KeyHolder } from '../../src/enclave/holder/keyHolder.ts'
import { KeyLink } from '../../src/enclave/holder/keyLink.ts'
import { DevelopmentAgent } from '../../src/enclave/simulator/agent.ts'
import { developmentChain, developmentRoot } from '../../src/enclave/simulator/developmentKeys.ts'
import { DevelopmentPlatform } from '../../src/enclave/simulator/platform.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'

/** A guest agent and a key holder of one venue, each on real sockets, in this process. */
export interface EvidenceStage {
  readonly folder: string
  readonly platform: DevelopmentPlatform
  readonly agentSocket: string
  readonly gateway: KeyLink
  readonly shard: KeyLink
  /** What the holder noted. */
  readonly noted: string[]
  /** The agent is gone; the holder is not. */
  closeAgent(): Promise<void>
  close(): Promise<void>
}

/** The same keys in every run. */
export const ROOT = Buffer.from(Array.from({ length: 32 }, (_, n) => n))

export async function openEvidence(venue: VenueFile): Promise<EvidenceStage> {
  const folder = mkdtempSync(join(tmpdir(), 'darkpool-evidence-'))
  const rootFile = join(folder, 'root')
  writeFileSync(rootFile, `${ROOT.toString('hex')}\n`, { mode: 0o600 })
  const noted: string[] = []
  const note = (error: unknown): void => void noted.push(String(error))
  const chain = developmentChain(rootFile)
  const platform = new DevelopmentPlatform(developmentRoot(rootFile), chain.rootPublicKey, new Date())
  const collateral = join(folder, 'collateral.json')
  writeFileSync(collateral, JSON.stringify(platform.collateral(new Date())))
  const agentSocket = join(folder, 'agent.sock')
  const agent = await DevelopmentAgent.open(agentSocket, chain, platform, note)
  const guest = new GuestAgent(agentSocket, { retry_ms: 1 })
  const attested = { ...venue, enclave: { kind: 'development' as const } }
  const holder = await KeyHolder.open(attested, guest, await Attestor.open(attested, guest, guest, collateral, note), folder, { refused: (role, path) => noted.push(`${role} may not have ${path}`), failed: (_role, error) => note(error) })
  const link = (role: 'gateway' | 'shard') => new KeyLink(holderSocket(folder, role), 0)
  return {
    folder,
    platform,
    agentSocket,
    gateway: link('gateway'),
    shard: link('shard'),
    noted,
    closeAgent: () => agent.close(),
    close: async () => {
      await holder.close()
      await agent.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

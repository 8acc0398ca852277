import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { Asset, Operation } from '@stellar/stellar-sdk'
import type { Keypair } from '@stellar/stellar-sdk'
import type { AccountId, ContractId } from '../../src/protocol/identity.ts'
import { DEFAULT_CHANNEL } from '../../src/protocol/subjects.ts'
import { admitAsset, createVault, deployAssetContract, setFeeCap, setMatchingEngine, setTreasury, uploadWasm } from '../../src/settlement/deployment.ts'
import { execute } from '../../src/settlement/transaction.ts'
import { paths } from '../setup/paths.ts'
import type { Progress } from '../setup/steps.ts'
import type { Chain } from './chain.ts'
import { writeDurably } from './stateFolder.ts'

/** What stands on chain, once and for the life of a venue. */
export interface Deployment {
  readonly passphrase: string
  readonly vault: ContractId
  /** Ledger in which the vault was made. */
  readonly fromLedger: number
  /** Sha256 of the contract's code. */
  readonly code: string
  /** G… address of the engine that the vault knows. */
  readonly engine: string
  /** What its markets may charge at most, in parts per million. A venue that was founded before there were fees charges none. */
  readonly feeCap_ppm?: number
  readonly assets: readonly DeployedAsset[]
}

export interface DeployedAsset {
  readonly code: string
  /** null for the network's own asset. */
  readonly issuer: string | null
  readonly contract: ContractId
  readonly index: number
  readonly decimals: number
}

export interface Founders {
  readonly admin: Keypair
  readonly issuer: Keypair
  readonly engine: Keypair
  /** Pay for settlement. */
  readonly sources: readonly Keypair[]
}

/** Decimals of every classic asset. */
const DECIMALS = 7
/** A tenth of a percent. */
const FEE_CAP_PPM = 1_000

export const classicAsset = ({ code, issuer }: Pick<DeployedAsset, 'code' | 'issuer'>): Asset => (issuer === null ? Asset.native() : new Asset(code, issuer))

/** Puts the vault and its assets on chain: the network's own, and issued ones with the given codes. @param channel on which the venue settles */
export async function deploy(chain: Chain, founders: Founders, codes: readonly string[], progress: Progress, channel = DEFAULT_CHANNEL): Promise<Deployment> {
  const { admin, issuer, engine, sources } = founders
  const wasm = readFileSync(paths.wasm)
  const passphrase = await chain.passphrase()
  await progress.run('accounts', () => chain.create([admin, issuer, engine, ...sources]), () => `administrator, issuer, engine, ${sources.length} that pay for settlement`)
  const plans = [{ code: 'XLM', issuer: null }, ...codes.map((code) => ({ code, issuer: issuer.publicKey() }))]
  const contracts = await progress.run(
    'assets',
    async () => {
      const made: ContractId[] = []
      for (const plan of plans) made.push((await deployAssetContract(await chain.signer(issuer), classicAsset(plan))).id)
      return made
    },
    () => plans.map(({ code }) => code).join(', '),
  )
  const { vault, fromLedger } = await progress.run(
    'vault on chain',
    async () => {
      const signer = await chain.signer(admin)
      const { id: code } = await uploadWasm(signer, wasm)
      const { id, applied } = await createVault(signer, code, createHash('sha256').update('darkpool local venue').digest())
      if (!applied) throw new Error('the vault is on chain already, and not in the deployment file')
      // Of the default channel too: its engine is who co-signs withdrawals.
      for (const one of new Set([DEFAULT_CHANNEL, channel])) await setMatchingEngine(signer, id, engine.publicKey() as AccountId, one)
      await setFeeCap(signer, id, FEE_CAP_PPM)
      await setTreasury(signer, id, admin.publicKey() as AccountId)
      return { vault: id, fromLedger: applied.ledger }
    },
    ({ vault }) => vault,
  )
  const assets: DeployedAsset[] = []
  for (const [i, plan] of plans.entries()) {
    const contract = contracts[i] as ContractId
    // Of this venue's own issuer nothing is accepted: it has no power over what it issued.
    const { id: index } = await admitAsset(await chain.signer(admin), vault, classicAsset(plan), [])
    // Its administrator is the treasury as well, and can hold what it collects.
    if (plan.issuer !== null) await execute(await chain.signer(admin), Operation.changeTrust({ asset: classicAsset(plan) }))
    assets.push({ ...plan, contract, index, decimals: DECIMALS })
  }
  return { passphrase, vault, fromLedger, code: codeOf(wasm), engine: engine.publicKey(), feeCap_ppm: FEE_CAP_PPM, assets }
}

const codeOf = (wasm: Uint8Array): string => createHash('sha256').update(wasm).digest('hex')

/** Whether the contract that would be deployed today is the one on chain. */
export const isCurrent = (deployment: Deployment): boolean => codeOf(readFileSync(paths.wasm)) === deployment.code

export function readDeployment(file: string): Deployment | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Deployment) : undefined
}

export const writeDeployment = (file: string, deployment: Deployment): void => writeDurably(file, JSON.stringify(deployment, null, 2))

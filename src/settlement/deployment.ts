import { Operation, scValToNative, xdr } from '@stellar/stellar-sdk'
import type { Asset } from '@stellar/stellar-sdk'
import type { AccountId, ContractId } from '../protocol/identity.ts'
import { DEFAULT_CHANNEL } from '../protocol/subjects.ts'
import { assetStep, issuerStep } from './governance/assets.ts'
import { changeStep, engineStep } from './governance/changing.ts'
import { assetContractStep, codeStep, vaultStep } from './governance/founding.ts'
import { perform } from './governance/step.ts'
import type { Deployed } from './governance/step.ts'
import { VaultGovernance } from './governance/vaultGovernance.ts'
import { checkIssuer, issuerFlags } from './issuer.ts'
import type { IssuerPower } from './issuer.ts'
import { execute } from './transaction.ts'
import type { Applied, Signer } from './transaction.ts'
import { VaultContract } from './vaultContract.ts'

/** Uploads a contract's code, and gives its sha256. */
export const uploadWasm = async (signer: Signer, wasm: Uint8Array): Promise<Deployed<string>> => perform(signer, await codeStep(signer, wasm))

/** Creates the vault from uploaded code; the signer becomes its administrator. `salt` decides its address together with the signer's key and the network. */
export async function createVault(signer: Signer, code: string, salt: Uint8Array): Promise<Deployed<ContractId>> {
  const deployer = signer.key.publicKey()
  return perform(signer, await vaultStep(signer, { deployer, admin: deployer, code, salt }))
}

/** Deploys the contract of a classic asset (its SAC), by whoever pays for it. */
export const deployAssetContract = async (signer: Signer, asset: Asset): Promise<Deployed<ContractId>> => perform(signer, await assetContractStep(signer, asset))

/** Makes `engine` the matching engine of one of the vault's channels. The signer is the administrator. */
export async function setMatchingEngine(signer: Signer, vault: ContractId, engine: AccountId, channel = DEFAULT_CHANNEL): Promise<Deployed<AccountId>> {
  const { applied } = await perform(signer, await engineStep(new VaultGovernance(signer, vault), channel, engine))
  return { id: engine, applied }
}

/** Lets the vault's batches take fees up to `cap_ppm` of what is traded. The signer is the administrator; once there are accounts it has to have been announced. */
export async function setFeeCap(signer: Signer, vault: ContractId, cap_ppm: number): Promise<Deployed<number>> {
  const { applied } = await perform(signer, await changeStep(new VaultGovernance(signer, vault), { feeCap_ppm: cap_ppm }))
  return { id: cap_ppm, applied }
}

/** Names who may collect the vault's fees. The signer is the administrator; once there are accounts it has to have been announced. */
export async function setTreasury(signer: Signer, vault: ContractId, treasury: AccountId): Promise<Deployed<AccountId>> {
  const { applied } = await perform(signer, await changeStep(new VaultGovernance(signer, vault), { treasury }))
  return { id: treasury, applied }
}

/** Pays the signer, who is the treasury, what a channel's batches took of a token, and gives how much that was. */
export async function collectFees(signer: Signer, vault: ContractId, channel: number, token: ContractId): Promise<{ readonly amount: bigint; readonly applied: Applied }> {
  const applied = await execute(signer, new VaultGovernance(signer, vault).collectFees(channel, token))
  const amount = applied.returnValue && (scValToNative(applied.returnValue) as unknown)
  if (typeof amount !== 'bigint') throw new Error('collect_fees gave no amount')
  return { amount, applied }
}

/** Admits a token to the vault and gives its asset index. The signer is the administrator. */
export const addAsset = async (signer: Signer, vault: ContractId, token: ContractId): Promise<Deployed<number>> => perform(signer, await assetStep(new VaultGovernance(signer, vault), token))

/**
 * Admits a classic asset, whose contract is deployed, after a look at its issuer on the ledger; what the issuer can do is put on record in
 * the vault, anew where it has changed since. The signer is the administrator.
 * @throws IssuerRefused where the issuer has a power that is not accepted: nothing is admitted or recorded then
 */
export async function admitAsset(signer: Signer, vault: ContractId, asset: Asset, accepted: readonly IssuerPower[]): Promise<Deployed<number>> {
  checkIssuer(asset, await issuerFlags(signer.server, asset), accepted)
  const added = await addAsset(signer, vault, asset.contractId(signer.passphrase) as ContractId)
  const { applied } = await perform(signer, await issuerStep(signer, new VaultGovernance(signer, vault), asset, accepted))
  return { id: added.id, applied: applied ?? added.applied }
}

/** Pays a user's tokens into the vault and gives the account's index. The signer is the user. */
export async function deposit(signer: Signer, vault: ContractId, token: ContractId, amount: bigint): Promise<{ readonly index: number; readonly applied: Applied }> {
  const contract = new VaultContract(vault, signer.passphrase)
  const applied = await execute(signer, contract.deposit(signer.key.publicKey() as AccountId, token, amount))
  const index = applied.returnValue && (scValToNative(applied.returnValue) as unknown)
  if (typeof index !== 'number') throw new Error('deposit gave no account index')
  return { index, applied }
}

/**
 * Executes a withdrawal that the engine has co-signed: the user's transaction, whose signature is the user's authorisation, with the
 * engine's entry in it. The signer is the user.
 */
export async function withdraw(signer: Signer, vault: ContractId, token: ContractId, amount: bigint, authorization: string): Promise<Applied> {
  const contract = new VaultContract(vault, signer.passphrase)
  const user = signer.key.publicKey() as AccountId
  const invocation = contract.withdrawInvocation(user, token, amount)
  const own = new xdr.SorobanAuthorizationEntry({ credentials: xdr.SorobanCredentials.sorobanCredentialsSourceAccount(), rootInvocation: invocation })
  const engine = xdr.SorobanAuthorizationEntry.fromXdr(authorization, 'base64')
  const call = contract.withdrawCall(user, token, amount)
  return execute(signer, Operation.invokeHostFunction({ func: xdr.HostFunction.hostFunctionTypeInvokeContract(call), auth: [own, engine] }))
}

import { Address, Contract, hash, Operation, scValToNative, xdr } from '@stellar/stellar-sdk'
import type { Asset } from '@stellar/stellar-sdk'
import type { AccountId, ContractId } from '../protocol/identity.ts'
import { checkIssuer, issuerFlags } from './issuer.ts'
import type { IssuerPower } from './issuer.ts'
import { execute } from './transaction.ts'
import type { Applied, Signer } from './transaction.ts'
import { VaultContract } from './vaultContract.ts'

/** What a step of a deployment did: nothing where an earlier run had done it, so that a deployment can be repeated at any point. */
export interface Deployed<Id> {
  readonly id: Id
  /** The step's transaction; null where there was nothing to do. */
  readonly applied: Applied | null
}

/** Uploads a contract's code. Its id is its sha256, so it is there or not, and there is one of it on a network. */
export async function uploadWasm(signer: Signer, wasm: Uint8Array): Promise<Deployed<string>> {
  const digest = hash(wasm)
  const key = xdr.LedgerKey.contractCode(new xdr.LedgerKeyContractCode({ hash: new xdr.Hash(digest) }))
  const id = Buffer.from(digest).toString('hex')
  if ((await signer.server.getLedgerEntries(key)).entries.length > 0) return { id, applied: null }
  return { id, applied: await execute(signer, Operation.uploadContractWasm({ wasm })) }
}

/**
 * Creates the vault from uploaded code; the signer becomes its administrator. `salt` decides its address together with the signer's key
 * and the network, so that repeating the call finds what the first one made.
 */
export async function createVault(signer: Signer, wasmHash: string, salt: Uint8Array): Promise<Deployed<ContractId>> {
  const deployer = new Address(signer.key.publicKey())
  const id = createdAddress(signer, deployer, salt)
  if (await exists(signer, id)) return { id, applied: null }
  const operation = Operation.createCustomContract({
    address: deployer,
    wasmHash: new Uint8Array(Buffer.from(wasmHash, 'hex')),
    salt,
    constructorArgs: [deployer.toScVal()],
  })
  const applied = await execute(signer, operation)
  if (applied.returnValue === undefined || scValToNative(applied.returnValue) !== id) throw new Error('the contract was created at another address than computed')
  return { id, applied }
}

/** Deploys the contract of a classic asset (its SAC), by whoever pays for it. */
export async function deployAssetContract(signer: Signer, asset: Asset): Promise<Deployed<ContractId>> {
  const id = asset.contractId(signer.passphrase) as ContractId
  if (await exists(signer, id)) return { id, applied: null }
  return { id, applied: await execute(signer, Operation.createStellarAssetContract({ asset })) }
}

/** Makes `engine` the vault's matching engine. The signer is the administrator. */
export async function setMatchingEngine(signer: Signer, vault: ContractId, engine: AccountId): Promise<Deployed<AccountId>> {
  const contract = new VaultContract(vault, signer.passphrase)
  if ((await contract.getMatchingEngine(signer.server)) === engine) return { id: engine, applied: null }
  return { id: engine, applied: await execute(signer, contract.setMatchingEngine(engine)) }
}

/** Lets the vault's batches take fees up to `cap_ppm` of what is traded. The signer is the administrator; once there are accounts it has to have been announced. */
export async function setFeeCap(signer: Signer, vault: ContractId, cap_ppm: number): Promise<Deployed<number>> {
  const contract = new VaultContract(vault, signer.passphrase)
  if ((await contract.getFeeCap(signer.server)) === cap_ppm) return { id: cap_ppm, applied: null }
  return { id: cap_ppm, applied: await execute(signer, contract.applyChange({ feeCap_ppm: cap_ppm })) }
}

/** Names who may collect the vault's fees. The signer is the administrator; once there are accounts it has to have been announced. */
export async function setTreasury(signer: Signer, vault: ContractId, treasury: AccountId): Promise<Deployed<AccountId>> {
  const contract = new VaultContract(vault, signer.passphrase)
  if ((await contract.getTreasury(signer.server)) === treasury) return { id: treasury, applied: null }
  return { id: treasury, applied: await execute(signer, contract.applyChange({ treasury })) }
}

/** Pays the signer, who is the treasury, what a channel's batches took of a token, and gives how much that was. */
export async function collectFees(signer: Signer, vault: ContractId, channel: number, token: ContractId): Promise<{ readonly amount: bigint; readonly applied: Applied }> {
  const applied = await execute(signer, new VaultContract(vault, signer.passphrase).collectFees(channel, token))
  const amount = applied.returnValue && (scValToNative(applied.returnValue) as unknown)
  if (typeof amount !== 'bigint') throw new Error('collect_fees gave no amount')
  return { amount, applied }
}

/** Admits a token to the vault and gives its asset index. The signer is the administrator. */
export async function addAsset(signer: Signer, vault: ContractId, token: ContractId): Promise<Deployed<number>> {
  const contract = new VaultContract(vault, signer.passphrase)
  const known = await contract.getAssetIndex(signer.server, token)
  if (known !== null) return { id: known, applied: null }
  const applied = await execute(signer, contract.addAsset(token))
  const index = applied.returnValue && (scValToNative(applied.returnValue) as unknown)
  if (typeof index !== 'number') throw new Error('add_asset gave no asset index')
  return { id: index, applied }
}

/**
 * Admits a classic asset, whose contract is deployed, after a look at its issuer on the ledger; what the issuer can do is put on record in
 * the vault, anew where it has changed since. The signer is the administrator.
 * @throws IssuerRefused where the issuer has a power that is not accepted: nothing is admitted or recorded then
 */
export async function admitAsset(signer: Signer, vault: ContractId, asset: Asset, accepted: readonly IssuerPower[]): Promise<Deployed<number>> {
  const contract = new VaultContract(vault, signer.passphrase)
  const token = asset.contractId(signer.passphrase) as ContractId
  const flags = await issuerFlags(signer.server, asset)
  checkIssuer(asset, flags, accepted)
  const added = await addAsset(signer, vault, token)
  if ((await contract.getIssuerFlags(signer.server, token)) === flags) return added
  return { id: added.id, applied: await execute(signer, contract.setIssuerFlags(token, flags)) }
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

/** Address of a contract that an account creates with a salt (CAP-46-02). */
function createdAddress({ passphrase }: Signer, deployer: Address, salt: Uint8Array): ContractId {
  const preimage = xdr.HashIdPreimage.envelopeTypeContractId(
    new xdr.HashIdPreimageContractId({
      networkId: new xdr.Hash(hash(passphrase)),
      contractIdPreimage: xdr.ContractIdPreimage.contractIdPreimageFromAddress(
        new xdr.ContractIdPreimageFromAddress({ address: deployer.toScAddress(), salt }),
      ),
    }),
  )
  return Address.contract(hash(preimage.toXdr())).toString() as ContractId
}

async function exists({ server }: Signer, id: ContractId): Promise<boolean> {
  return (await server.getLedgerEntries(new Contract(id).getFootprint())).entries.length > 0
}

import { Address, Contract, hash, Operation, scValToNative, xdr } from '@stellar/stellar-sdk'
import type { Asset } from '@stellar/stellar-sdk'
import type { ContractId } from '../../protocol/identity.ts'
import type { Network } from '../transaction.ts'
import { ownAuthority } from './ownAuthority.ts'
import type { Step } from './step.ts'

/** Sha256 of a contract's code, by which the network knows it. */
export const codeId = (wasm: Uint8Array): string => Buffer.from(hash(wasm)).toString('hex')

/** Whether a network has a contract's code. */
export async function hasCode({ server }: Network, code: string): Promise<boolean> {
  const key = xdr.LedgerKey.contractCode(new xdr.LedgerKeyContractCode({ hash: new xdr.Hash(new Uint8Array(Buffer.from(code, 'hex'))) }))
  return (await server.getLedgerEntries(key)).entries.length > 0
}

/** Uploads a contract's code. Its id is its sha256, so it is there or not, and there is one of it on a network. */
export async function codeStep(network: Network, wasm: Uint8Array): Promise<Step<string>> {
  const id = codeId(wasm)
  return { what: `upload the code ${id}, ${wasm.length} bytes`, operation: (await hasCode(network, id)) ? null : Operation.uploadContractWasm({ wasm }), result: () => id }
}

export interface VaultFounding {
  /** Account whose transaction it is. */
  readonly deployer: string
  readonly admin: string
  /** Sha256 of the code. */
  readonly code: string
  /** Decides the vault's address together with the deployer and the network, so that repeating the step finds what the first one made. */
  readonly salt: Uint8Array
}

/** Creates the vault from uploaded code. */
export async function vaultStep(network: Network, { deployer: account, admin, code, salt }: VaultFounding): Promise<Step<ContractId>> {
  const deployer = new Address(account)
  const id = createdAddress(network, deployer, salt)
  const what = `create the vault ${id}, administrator ${admin}`
  if (await exists(network, id)) return { what, operation: null, result: () => id }
  const operation = Operation.createCustomContract({ address: deployer, wasmHash: new Uint8Array(Buffer.from(code, 'hex')), salt, constructorArgs: [new Address(admin).toScVal()] })
  const result = (returned: xdr.ScVal | undefined): ContractId => {
    if (returned === undefined || scValToNative(returned) !== id) throw new Error('the contract was created at another address than computed')
    return id
  }
  return { what, operation: ownAuthority(operation), result }
}

/** Deploys the contract of a classic asset (its SAC), by whoever pays for it. */
export async function assetContractStep(network: Network, asset: Asset): Promise<Step<ContractId>> {
  const id = asset.contractId(network.passphrase) as ContractId
  return { what: `deploy the contract ${id} of ${asset.getCode()}`, operation: (await exists(network, id)) ? null : Operation.createStellarAssetContract({ asset }), result: () => id }
}

/** Address of a contract that an account creates with a salt (CAP-46-02). */
function createdAddress({ passphrase }: Network, deployer: Address, salt: Uint8Array): ContractId {
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

async function exists({ server }: Network, id: ContractId): Promise<boolean> {
  return (await server.getLedgerEntries(new Contract(id).getFootprint())).entries.length > 0
}

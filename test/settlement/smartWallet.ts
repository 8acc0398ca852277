import { Account, Address, authorizeEntry, Keypair, Operation, rpc, StrKey, TransactionBuilder, xdr } from '@stellar/stellar-sdk'
import type { AccountId } from '../../src/protocol/identity.ts'
import { uploadWasm } from '../../src/settlement/deployment.ts'
import { ownAuthority } from '../../src/settlement/governance/ownAuthority.ts'
import { ContractRefusal } from '../../src/settlement/contractRefusal.ts'
import { accountEntry } from '../../src/settlement/accountEntry.ts'
import { chainHead } from '../../src/settlement/stellarRpc.ts'
import { execute } from '../../src/settlement/transaction.ts'
import type { Applied, Signer } from '../../src/settlement/transaction.ts'

const AUTHORISED_LEDGERS = 1_000

/**
 * A smart wallet (C…): a contract of a few instructions that authorises whatever comes with an ed25519 signature of one key over the network's payload. The key is in
 * its code, so that it needs no storage.
 */
export class SmartWallet {
  readonly address: AccountId
  /** Decides over the wallet. It signs nothing that the venue knows of. */
  readonly owner: Keypair
  readonly #payer: Signer

  private constructor(address: AccountId, owner: Keypair, payer: Signer) {
    this.address = address
    this.owner = owner
    this.#payer = payer
  }

  /** @param payer pays for its transactions, and may nothing else */
  static async create(payer: Signer, owner = Keypair.random()): Promise<SmartWallet> {
    const { id } = await uploadWasm(payer, code(owner.rawPublicKey()))
    const operation = Operation.createCustomContract({ address: new Address(payer.key.publicKey()), wasmHash: new Uint8Array(Buffer.from(id, 'hex')), salt: new Uint8Array(32), constructorArgs: [] })
    const { returnValue } = await execute(payer, ownAuthority(operation))
    return new SmartWallet(Address.fromScVal(returnValue as xdr.ScVal).toString() as AccountId, owner, payer)
  }

  /** Calls a contract with the wallet's authority over the call and over what is beneath it. @param others authorities of others, signed */
  async call(contract: string, name: string, args: readonly xdr.ScVal[], others: readonly xdr.SorobanAuthorizationEntry[] = [], signer = this.owner): Promise<Applied> {
    const call = new xdr.InvokeContractArgs({ contractAddress: new Address(contract).toScAddress(), functionName: name, args: [...args] })
    const func = xdr.HostFunction.hostFunctionTypeInvokeContract(call)
    const own = (await this.#wanted(func)).map((entry) => this.#signed(entry, signer))
    return execute(this.#payer, Operation.invokeHostFunction({ func, auth: [...(await Promise.all(own)), ...others] }))
  }

  /** What the wallet would have to authorise, as the network says. */
  async #wanted(func: xdr.HostFunction): Promise<readonly xdr.SorobanAuthorizationEntry[]> {
    const { server, passphrase, key } = this.#payer
    const source = new Account(key.publicKey(), (await accountEntry(server, key.publicKey())).seqNum.toString())
    const simulation = await server.simulateTransaction(new TransactionBuilder(source, { fee: '100', networkPassphrase: passphrase }).addOperation(Operation.invokeHostFunction({ func, auth: [] })).setTimeout(0).build())
    if (rpc.Api.isSimulationError(simulation)) throw new ContractRefusal(simulation.error)
    return (simulation.result?.auth ?? []).filter(({ credentials }) => this.#isOwn(credentials))
  }

  #isOwn(credentials: xdr.SorobanCredentials): boolean {
    const named = credentials.type === 'sorobanCredentialsAddress' || credentials.type === 'sorobanCredentialsAddressV2'
    return named && Address.fromScAddress(credentials.value.address).toString() === this.address
  }

  async #signed(entry: xdr.SorobanAuthorizationEntry, signer: Keypair): Promise<xdr.SorobanAuthorizationEntry> {
    const { server, passphrase } = this.#payer
    const { ledger } = await chainHead(server)
    const signatureScVal = (payload: Uint8Array): xdr.ScVal => xdr.ScVal.scvBytes(new Uint8Array(signer.sign(payload)))
    return authorizeEntry(entry, (_preimage, payload) => Promise.resolve({ signatureScVal: signatureScVal(payload) }), ledger + AUTHORISED_LEDGERS, passphrase)
  }
}

/** The bytes of a public key, as a contract takes them. */
export const keyValue = (address: string): xdr.ScVal => xdr.ScVal.scvBytes(new Uint8Array(StrKey.decodeEd25519PublicKey(address)))

/** Wasm of `__check_auth(payload, signature, contexts)`, which checks that the signature is the key's over the payload, and is void. */
function code(key: Uint8Array): Uint8Array {
  const i64 = 0x7e
  const vector = (items: readonly (readonly number[])[]): number[] => [items.length, ...items.flat()]
  const named = (text: string): number[] => [text.length, ...Buffer.from(text)]
  const section = (id: number, content: readonly number[]): number[] => [id, content.length, ...content]
  const type = (parameters: readonly number[]): number[] => [0x60, ...vector(parameters.map((one) => [one])), 1, i64]
  const [two, three] = [type([i64, i64]), type([i64, i64, i64])]
  const constant = (...leb: readonly number[]): number[] => [0x42, ...leb]
  const [offsetZero, length32, unit] = [constant(0x04), constant(0x84, 0x80, 0x80, 0x80, 0x80, 0x04), constant(0x02)]
  const body = [0, ...offsetZero, ...length32, 0x10, 0, 0x20, 0, 0x20, 1, 0x10, 1, 0x1a, ...unit, 0x0b]
  const environment = [0, 0, 0, 0, 0, 0, 0, 22, 0, 0, 0, 0]
  return Uint8Array.from([
    ...Buffer.from('\0asm'), 1, 0, 0, 0,
    // The interface of the host that it was made for: of protocol 22.
    ...section(0, [...named('contractenvmetav0'), ...environment]),
    ...section(1, vector([two, three])),
    // Bytes from linear memory; verification of an ed25519 signature, which traps where it does not fit.
    ...section(2, vector([[...named('b'), ...named('3'), 0, 0], [...named('c'), ...named('0'), 0, 1]])),
    ...section(3, vector([[1]])),
    ...section(5, vector([[0, 1]])),
    ...section(7, vector([[...named('__check_auth'), 0, 2], [...named('memory'), 2, 0]])),
    ...section(10, vector([[body.length, ...body]])),
    ...section(11, vector([[0, 0x41, 0, 0x0b, key.length, ...key]])),
  ])
}

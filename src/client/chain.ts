import { Account, Address, Contract, nativeToScVal, Operation, rpc, scValToNative, TransactionBuilder, xdr } from '@stellar/stellar-sdk'
import type { Transaction } from '@stellar/stellar-sdk'
import { ChainRefused } from './errors.ts'
import type { Signer } from './signer.ts'
import { delay } from './delay.ts'

const LIFETIME_S = 60
const INCLUSION_FEE_STROOPS = '1000'
const POLL_MS = 250
const NO_TRANSACTION = '0'.repeat(64)
/** Account of nobody: a simulation wants one that asks. */
const NOBODY = 'GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF'
const ATTEMPTS = 3

/** Applied and failed, though its simulation had passed. */
class Overtaken extends ChainRefused {}

/** Money that was asked for without the engine. */
export interface Exit {
  readonly amount: bigint
  /** Ledger time in Unix seconds from which on it can be claimed. */
  readonly due: number
}

export interface Applied {
  /** Transaction hash and the ledger it is in. */
  readonly transaction: string
  readonly ledger: number
}

/** A trader's own dealings with the vault contract: pays in, takes out with the engine's authorisation or without, looks. Amounts in smallest units. */
export class VaultOnChain {
  readonly #server: rpc.Server
  readonly #network: string
  readonly #contract: Contract
  readonly #signer: Signer

  /** @param url Stellar RPC endpoint @param network passphrase */
  constructor(url: string, network: string, vault: string, signer: Signer) {
    this.#server = serverAt(url)
    this.#network = network
    this.#contract = new Contract(vault)
    this.#signer = signer
  }

  /** @throws ChainRefused */
  async deposit(token: string, amount: bigint): Promise<Applied> {
    return this.#execute(this.#contract.call('deposit', ...this.#arguments(token, amount)))
  }

  /**
   * Completes a withdrawal that the venue has co-signed: the trader's transaction is the trader's authorisation, and the engine's goes with it.
   * @param authorization base64 XDR of the engine's SorobanAuthorizationEntry @throws ChainRefused
   */
  async withdraw(token: string, amount: bigint, authorization: string): Promise<Applied> {
    const call = new xdr.InvokeContractArgs({ contractAddress: this.#contract.address().toScAddress(), functionName: 'withdraw', args: this.#arguments(token, amount) })
    const own = new xdr.SorobanAuthorizationEntry({
      credentials: xdr.SorobanCredentials.sorobanCredentialsSourceAccount(),
      rootInvocation: new xdr.SorobanAuthorizedInvocation({
        function: xdr.SorobanAuthorizedFunction.sorobanAuthorizedFunctionTypeContractFn(call),
        subInvocations: [],
      }),
    })
    const engine = xdr.SorobanAuthorizationEntry.fromXdr(authorization, 'base64')
    return this.#execute(Operation.invokeHostFunction({ func: xdr.HostFunction.hostFunctionTypeInvokeContract(call), auth: [own, engine] }))
  }

  /**
   * Asks for money without the engine: the contract pays `claimWithdrawal` after its delay, and nobody can stop it. For more than there is, it asks for all.
   * @throws ChainRefused, also where a request for the token is under way
   */
  async requestWithdrawal(token: string, amount: bigint): Promise<Applied> {
    return this.#execute(this.#contract.call('request_withdraw', ...this.#arguments(token, amount)))
  }

  /** @throws ChainRefused */
  async cancelRequest(token: string): Promise<Applied> {
    return this.#execute(this.#contract.call('cancel_request', address(this.#signer.address), address(token)))
  }

  /** Pays what was asked for, or what is there where that is less. @throws ChainRefused, also where it is not due */
  async claimWithdrawal(token: string): Promise<Applied> {
    return this.#execute(this.#contract.call('claim_withdraw', address(this.#signer.address), address(token)))
  }

  /** The request that is under way for a token, or null. @throws ChainRefused */
  async exit(token: string): Promise<Exit | null> {
    const exit = (await this.#view('get_exit', token)) as { readonly amount: bigint; readonly due: bigint } | null | undefined
    return exit ? { amount: exit.amount, due: Number(exit.due) } : null
  }

  /** What the vault holds for the trader. @throws ChainRefused */
  async balance(token: string): Promise<bigint> {
    const balance = await this.#view('get_balance', token)
    if (typeof balance !== 'bigint') throw new Error('get_balance gave no amount')
    return balance
  }

  /** A view of the trader's own in one token. */
  async #view(name: string, token: string): Promise<unknown> {
    const simulation = await this.#server.simulateTransaction(await this.#draft(this.#contract.call(name, address(this.#signer.address), address(token))))
    if (rpc.Api.isSimulationError(simulation)) throw new ChainRefused(refusalIn(simulation.error))
    if (simulation.result === undefined) throw new Error(`${name} gave no value`)
    return scValToNative(simulation.result.retval)
  }

  #arguments(token: string, amount: bigint): xdr.ScVal[] {
    return [address(this.#signer.address), address(token), nativeToScVal(amount, { type: 'i128' })]
  }

  async #draft(operation: xdr.Operation): Promise<Transaction> {
    const source = await this.#server.getAccount(this.#signer.address)
    // By the ledger's clock, which a transaction that cannot exist is a cheap way to ask for: getLatestLedger answers with the whole ledger.
    const { latestLedgerCloseTime } = await this.#server.getTransaction(NO_TRANSACTION)
    const timebounds = { minTime: 0, maxTime: Number(latestLedgerCloseTime) + LIFETIME_S }
    return new TransactionBuilder(source, { fee: INCLUSION_FEE_STROOPS, networkPassphrase: this.#network, timebounds }).addOperation(operation).build()
  }

  /** A call that somebody else's overtook (two first deposits in one ledger take the same account index) has failed for good, and is made anew. */
  async #execute(operation: xdr.Operation): Promise<Applied> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#executeOnce(operation)
      } catch (error) {
        if (!(error instanceof Overtaken) || attempt === ATTEMPTS) throw error
      }
    }
  }

  async #executeOnce(operation: xdr.Operation): Promise<Applied> {
    const draft = await this.#draft(operation)
    const simulation = await this.#server.simulateTransaction(draft)
    if (rpc.Api.isSimulationError(simulation)) throw new ChainRefused(refusalIn(simulation.error))
    const unsigned = rpc.assembleTransaction(draft, simulation).build()
    const signed = TransactionBuilder.fromXDR(await this.#signer.signTransaction(unsigned.toXDR(), this.#network), this.#network)
    return this.#follow(signed as Transaction)
  }

  /** Sends until the network has taken it, and asks until it has applied, failed, or can no longer apply. */
  async #follow(transaction: Transaction): Promise<Applied> {
    const hash = Array.from(transaction.hash(), (byte) => byte.toString(16).padStart(2, '0')).join('')
    const maxTime = Number(transaction.timeBounds?.maxTime)
    for (let taken = false; ; await delay(POLL_MS)) {
      if (!taken) {
        const sent = await this.#server.sendTransaction(transaction)
        if (sent.status === 'ERROR') throw new ChainRefused(sent.errorResult?.result.type ?? 'refused')
        taken = sent.status !== 'TRY_AGAIN_LATER'
      }
      const found = await this.#server.getTransaction(hash)
      if (found.status === rpc.Api.GetTransactionStatus.SUCCESS) return { transaction: hash, ledger: found.ledger }
      // The simulation passed, so what it saw has changed.
      if (found.status === rpc.Api.GetTransactionStatus.FAILED) throw new Overtaken(found.resultXdr.result.type)
      if (Number(found.latestLedgerCloseTime) > maxTime) throw new ChainRefused('expired before a ledger took it')
    }
  }
}

/**
 * The key that a vault obeys for a settlement channel (G…), or null where it obeys none: what the engine's key in an enclave's evidence has to be. Needs no key.
 * @param url Stellar RPC endpoint @param network passphrase @throws ChainRefused
 */
export async function registeredEngine(url: string, network: string, vault: string, channel: number): Promise<string | null> {
  const call = new Contract(vault).call('get_channel_engine', nativeToScVal(channel, { type: 'u32' }))
  const transaction = new TransactionBuilder(new Account(NOBODY, '0'), { fee: INCLUSION_FEE_STROOPS, networkPassphrase: network }).addOperation(call).setTimeout(0).build()
  const simulation = await serverAt(url).simulateTransaction(transaction)
  if (rpc.Api.isSimulationError(simulation)) throw new ChainRefused(refusalIn(simulation.error))
  const engine: unknown = simulation.result === undefined ? null : scValToNative(simulation.result.retval)
  return typeof engine === 'string' ? engine : null
}

/** @throws Error where anybody on the way could lie about the chain: without TLS only to this very machine */
export function serverAt(url: string): rpc.Server {
  const { protocol, hostname } = new URL(url)
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
  if (protocol !== 'https:' && !loopback) throw new Error(`the Stellar RPC at ${hostname} must be reached by https`)
  return new rpc.Server(url, { allowHttp: loopback })
}

const address = (value: string): xdr.ScVal => new Address(value).toScVal()

/** A simulation's refusal without the call's arguments, which its text carries. */
function refusalIn(text: string): string {
  const contract = /Error\(Contract, #(\d+)\)/.exec(text)?.[1]
  return contract === undefined ? `host error ${/Error\((\w+, \w+)\)/.exec(text)?.[1] ?? 'unnamed'}` : `contract error ${contract}`
}

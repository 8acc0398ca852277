// People on a localnet: accounts with keys who build, prepare, sign, send and follow transactions
// with nothing but the SDK.

import { BASE_FEE, Keypair, rpc, TransactionBuilder, type Transaction, type xdr } from '@stellar/stellar-sdk'
import type { Localnet } from './process.ts'

export type Sent = rpc.Api.GetSuccessfulTransactionResponse | rpc.Api.GetFailedTransactionResponse

export class Wallet {
  readonly keys: Keypair
  readonly address: string
  readonly server: rpc.Server
  readonly #passphrase: string

  constructor(net: Localnet, keys = Keypair.random()) {
    this.keys = keys
    this.address = keys.publicKey()
    this.server = new rpc.Server(net.url, { allowHttp: true })
    this.#passphrase = net.passphrase
  }

  async fund(): Promise<this> {
    await this.server.requestAirdrop(this.address)
    return this
  }

  /** A transaction with the account's next sequence number, not signed. */
  async build(...operations: xdr.Operation[]): Promise<Transaction> {
    const builder = new TransactionBuilder(await this.server.getAccount(this.address), {
      fee: BASE_FEE,
      networkPassphrase: this.#passphrase
    })
    for (const operation of operations) builder.addOperation(operation)
    return builder.setTimeout(60).build()
  }

  /** Signs, sends, and waits until the transaction is in a ledger. */
  async submit(transaction: Transaction): Promise<Sent> {
    transaction.sign(this.keys)
    const sent = await this.server.sendTransaction(transaction)
    if (sent.status !== 'PENDING') {
      throw new Error(`${sent.status}: ${sent.errorResult?.result.type ?? ''}`)
    }
    const found = await this.server.pollTransaction(sent.hash, { attempts: 200, sleepStrategy: () => 50 })
    if (found.status === rpc.Api.GetTransactionStatus.NOT_FOUND) throw new Error(`${sent.hash} is not found`)
    return found
  }

  async do(...operations: xdr.Operation[]): Promise<Sent> {
    return await this.submit(await this.build(...operations))
  }

  /** The same for a contract operation: simulated and assembled first. */
  async invoke(operation: xdr.Operation): Promise<Sent> {
    return await this.submit(await this.server.prepareTransaction(await this.build(operation)))
  }
}

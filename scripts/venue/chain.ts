import { Operation, TransactionBuilder } from '@stellar/stellar-sdk'
import type { Keypair, rpc, xdr , Asset} from '@stellar/stellar-sdk'
import type { AccountId, Amount, ContractId } from '../../src/protocol/identity.ts'
import { chainHead, openRpc } from '../../src/settlement/stellarRpc.ts'
import { submit } from '../../src/settlement/transaction.ts'
import type { Applied, Signer } from '../../src/settlement/transaction.ts'
import { VaultContract } from '../../src/settlement/vaultContract.ts'

const LIFETIME_s = 60
const FEE_stroops = '1000'
/** A transaction takes 20 signatures and 100 operations; the payer's is one of the signatures. */
const ACCOUNTS_PER_TRANSACTION = 16
const OPERATIONS_PER_TRANSACTION = 96

/** An issued asset and how much of it, in smallest units. */
export interface Grant {
  readonly asset: Asset
  readonly amount: bigint
}

/** What the local venue's founder does on its Stellar network. */
export class Chain {
  readonly url: string
  readonly server: rpc.Server
  #passphrase: string | undefined

  constructor(url: string) {
    this.url = url
    this.server = openRpc(url)
  }

  async passphrase(): Promise<string> {
    return (this.#passphrase ??= (await this.server.getNetwork()).passphrase)
  }

  async signer(key: Keypair): Promise<Signer> {
    return { server: this.server, passphrase: await this.passphrase(), key }
  }

  /** Creates accounts with the network's own money; those that exist stay as they are. */
  async create(keys: readonly Keypair[]): Promise<void> {
    for (const key of keys) await this.server.requestAirdrop(key.publicKey())
  }

  /** Lets accounts hold issued assets, and pays them some: many accounts to a transaction. */
  async grant(issuer: Keypair, holders: readonly Keypair[], grants: readonly Grant[]): Promise<void> {
    const size = Math.min(ACCOUNTS_PER_TRANSACTION, Math.floor(OPERATIONS_PER_TRANSACTION / (2 * grants.length)))
    for (let first = 0; first < holders.length; first += size) {
      const group = holders.slice(first, first + size)
      await this.#submit(
        issuer,
        group,
        group.flatMap((holder) => {
          const account = holder.publicKey()
          return grants.flatMap(({ asset, amount }) => [
            Operation.changeTrust({ asset, source: account }),
            Operation.payment({ asset, destination: account, amount: decimal(amount) }),
          ])
        }),
      )
    }
  }

  /** What the vault contract holds for an account. */
  async balance(vault: ContractId, account: AccountId, token: ContractId): Promise<Amount> {
    return new VaultContract(vault, await this.passphrase()).getBalance(this.server, account, token)
  }

  async #submit(payer: Keypair, signers: readonly Keypair[], operations: readonly xdr.Operation[]): Promise<Applied> {
    const source = await this.server.getAccount(payer.publicKey())
    const { closeTime } = await chainHead(this.server)
    const builder = new TransactionBuilder(source, {
      fee: FEE_stroops,
      networkPassphrase: await this.passphrase(),
      timebounds: { minTime: 0, maxTime: closeTime + LIFETIME_s },
    })
    for (const operation of operations) builder.addOperation(operation)
    const transaction = builder.build()
    transaction.sign(payer, ...signers)
    return submit(this.server, transaction)
  }
}

/** Classic operations take decimals with seven places. */
function decimal(amount: bigint): string {
  const digits = amount.toString().padStart(8, '0')
  return `${digits.slice(0, -7)}.${digits.slice(-7)}`
}

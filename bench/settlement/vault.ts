import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Keypair, Operation, rpc, scValToNative, TransactionBuilder } from '@stellar/stellar-sdk'
import type { xdr } from '@stellar/stellar-sdk'
import type { Progress } from '../../scripts/setup/steps.ts'
import { Chain } from '../../scripts/venue/chain.ts'
import { deploy } from '../../scripts/venue/deployment.ts'
import type { Deployment } from '../../scripts/venue/deployment.ts'
import { localnet, rpcUrl } from '../../scripts/venue/localnet.ts'
import { freePort } from '../../scripts/venue/ports.ts'
import { ServerProcess } from '../../scripts/venue/serverProcess.ts'
import { StateFolder } from '../../scripts/venue/stateFolder.ts'
import type { AccountId } from '../../src/protocol/identity.ts'
import { ContractRefusal } from '../../src/settlement/contractRefusal.ts'
import { deposit } from '../../src/settlement/deployment.ts'
import { chainHead } from '../../src/settlement/stellarRpc.ts'
import { submit } from '../../src/settlement/transaction.ts'
import { VaultContract } from '../../src/settlement/vaultContract.ts'

/** Where nobody waits for anything but ledgers. */
const QUICK_LEDGER_s = 0.2
const LIFETIME_s = 60
const FEE_stroops = '1000'
const OPERATIONS_PER_TRANSACTION = 100
/** XLM of a new account: its reserve, and what its first deposit costs. */
const STARTING_XLM = '5'
const FIRST_DEPOSIT_stroops = 100_000n
/** What one deposits that gives all the others what they trade with: far more than they trade. */
const TREASURE = 10n ** 17n
/** The contract's `ACCOUNTS_PER_PAGE`: accounts that open in one page in one ledger touch the same entries. */
const ACCOUNTS_PER_PAGE = 32
/** What the first deposits of one page declare beyond their simulation: each is applied to a page that those before it have made larger. */
const LEEWAY = { instructions: 2_000_000, writeBytes: 5_000, fee_stroops: 5_000_000n }

/** An account with its index in the vault. */
export interface VaultAccount {
  readonly account: AccountId
  readonly index: number
}

/** A vault on a Stellar network of this run alone, executed by the host that validators run, in a folder that goes with it. */
export class BenchVault {
  readonly chain: Chain
  readonly engine = Keypair.random()
  /** Pay for batches in turn. */
  readonly sources = [Keypair.random(), Keypair.random()]
  readonly #localnet: ServerProcess
  readonly #folder: string
  #ledger_s = QUICK_LEDGER_s
  #deployment: Deployment | undefined
  #treasurer: { readonly key: Keypair; readonly account: VaultAccount } | undefined

  private constructor(folder: string, port: number, progress: Progress) {
    this.#folder = folder
    this.chain = new Chain(rpcUrl(port))
    this.#localnet = new ServerProcess(localnet(new StateFolder(folder), { port, ledgerTime_s: () => this.#ledger_s }), { say: (text) => progress.say(text), changed: () => undefined })
    process.once('exit', () => this.#localnet.killNow())
  }

  /** @param assets how many, the network's own included, which is the first */
  static async open(assets: number, progress: Progress): Promise<BenchVault> {
    const folder = mkdtempSync(join(tmpdir(), 'darkpool-bench-settlement-'))
    mkdirSync(join(folder, 'logs'))
    const vault = new BenchVault(folder, await freePort(), progress)
    try {
      await vault.#localnet.start()
      await vault.#found(assets, progress)
      return vault
    } catch (error) {
      await vault.stop()
      throw error
    }
  }

  get deployment(): Deployment {
    if (!this.#deployment) throw new Error('the vault has not been founded')
    return this.#deployment
  }

  get contract(): VaultContract {
    return new VaultContract(this.deployment.vault, this.deployment.passphrase)
  }

  /** Who has deposited plenty of every asset. */
  get treasurer(): VaultAccount {
    if (!this.#treasurer) throw new Error('nobody has deposited yet')
    return this.#treasurer.account
  }

  /** From now on a ledger takes so long; as quickly as is sensible unless given. */
  async pace(ledger_s = QUICK_LEDGER_s): Promise<void> {
    if (ledger_s === this.#ledger_s) return
    this.#ledger_s = ledger_s
    await this.#localnet.stop()
    await this.#localnet.start()
  }

  /** Makes accounts on chain, each with a first small deposit of the network's asset, so that the vault knows them under rising indexes. */
  async openAccounts(count: number, note: (text: string) => void): Promise<VaultAccount[]> {
    const keys = Array.from({ length: count }, () => Keypair.random())
    for (let first = 0; first < count; first += OPERATIONS_PER_TRANSACTION) await this.#create(keys.slice(first, first + OPERATIONS_PER_TRANSACTION))
    const opened: VaultAccount[] = []
    while (opened.length < count) {
      const index = (opened.at(-1) ?? this.treasurer).index + 1
      const page = keys.slice(opened.length, opened.length + ACCOUNTS_PER_PAGE - (index % ACCOUNTS_PER_PAGE))
      const accounts = await Promise.all((await Promise.all(page.map((key) => this.#firstDeposit(key)))).map((send) => send()))
      // Those of one ledger are applied in any order.
      opened.push(...accounts.sort((a, b) => a.index - b.index))
      note(`${opened.length} of ${count}`)
    }
    return opened
  }

  async stop(): Promise<void> {
    await this.#localnet.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #found(assets: number, progress: Progress): Promise<void> {
    // The root account of every Stellar network has all of its money, and its key is the hash of the network's name.
    const root = Keypair.fromRawEd25519Seed(createHash('sha256').update(await this.chain.passphrase()).digest())
    const codes = Array.from({ length: assets - 1 }, (_, n) => `ASSET${n + 1}`)
    this.#deployment = await deploy(this.chain, { admin: root, issuer: root, engine: this.engine, sources: this.sources }, codes, progress)
    const signer = await this.chain.signer(root)
    const { vault } = this.deployment
    let index = 0
    // The issuer's own: what it pays in comes into being.
    for (const { contract } of this.deployment.assets) index = (await deposit(signer, vault, contract, TREASURE)).index
    this.#treasurer = { key: root, account: { account: root.publicKey() as AccountId, index } }
  }

  async #create(keys: readonly Keypair[]): Promise<void> {
    const payer = this.#treasurer?.key
    if (!payer) throw new Error('nobody has money yet')
    const { server } = this.chain
    const builder = await this.#builder(payer)
    for (const key of keys) builder.addOperation(Operation.createAccount({ destination: key.publicKey(), startingBalance: STARTING_XLM }))
    const transaction = builder.build()
    transaction.sign(payer)
    await submit(server, transaction)
  }

  /** Prepares it as the chain stands; what it gives sends it. */
  async #firstDeposit(key: Keypair): Promise<() => Promise<VaultAccount>> {
    const { server } = this.chain
    const account = key.publicKey() as AccountId
    const native = this.deployment.assets[0]
    if (!native) throw new Error('the vault has assets')
    const draft = (await this.#builder(key)).addOperation(this.contract.deposit(account, native.contract, FIRST_DEPOSIT_stroops)).build()
    const simulation = await server.simulateTransaction(draft)
    if (rpc.Api.isSimulationError(simulation)) throw new ContractRefusal(simulation.error)
    loosen(simulation)
    const transaction = rpc.assembleTransaction(draft, simulation).build()
    transaction.sign(key)
    return async () => {
      const { returnValue } = await submit(server, transaction)
      const index: unknown = returnValue && scValToNative(returnValue)
      if (typeof index !== 'number') throw new Error('deposit gave no account index')
      return { account, index }
    }
  }

  async #builder(payer: Keypair): Promise<TransactionBuilder> {
    const { server } = this.chain
    const [source, { closeTime }] = [await server.getAccount(payer.publicKey()), await chainHead(server)]
    return new TransactionBuilder(source, { fee: FEE_stroops, networkPassphrase: await this.chain.passphrase(), timebounds: { minTime: 0, maxTime: closeTime + LIFETIME_s } })
  }
}

function loosen({ transactionData }: rpc.Api.SimulateTransactionSuccessResponse): void {
  const { resources, resourceFee }: xdr.SorobanTransactionData = transactionData.build()
  transactionData.setResources(resources.instructions + LEEWAY.instructions, resources.diskReadBytes, resources.writeBytes + LEEWAY.writeBytes)
  transactionData.setResourceFee((resourceFee + LEEWAY.fee_stroops).toString())
}

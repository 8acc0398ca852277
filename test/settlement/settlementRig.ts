import type { Keypair } from '@stellar/stellar-sdk'
import type { Driver } from '../../src/actors/runtime/driver.ts'
import type { Trade } from '../../src/protocol/pair.ts'
import type { SettlementMessage } from '../../src/protocol/settlement.ts'
import type { SettlementReport } from '../../src/protocol/vault.ts'
import type { SubmitterOptions } from '../../src/settlement/batchSubmitter.ts'
import { driveSettlement } from '../../src/settlement/settlementDriver.ts'
import type { SettlementLocal } from '../../src/settlement/settlementLocal.ts'
import { SettlementMachine } from '../../src/settlement/settlementMachine.ts'
import type { SettlementQuery, SettlementStatus } from '../../src/settlement/settlementStatus.ts'
import type { StellarRpc } from '../../src/settlement/stellarRpc.ts'
import type { DeployedVault, Trader } from './deployedVault.ts'
import { FaultyCalls } from './faultyCalls.ts'
import { JournaledActor } from './journaledActor.ts'
import { salts, trade } from './trades.ts'
import { TestLog, until } from './waiting.ts'

/** Who buys from whom, how much native for how much USD, and what the venue keeps of each side. */
export type Deal = readonly [buyer: Trader, seller: Trader, base: bigint, quote: bigint, buyerFee?: bigint, sellerFee?: bigint]

/** A settlement actor with its real driver on a real chain, whose process can be killed and started again. */
export class SettlementRig {
  readonly log = new TestLog()
  readonly vault: DeployedVault
  readonly channel: number
  lifetime_s = 60
  /** Between two readings of what the contract holds; there are none unless given. */
  reconcile_ms: number | undefined
  /** Which key of the engine is used: the vault's own unless given. */
  engine: ((anew?: boolean) => Promise<Keypair>) | undefined
  /** Which key co-signs: that of the engine unless given. */
  cosigning: (() => Promise<Keypair | null>) | undefined
  /** Where they are read, and of which assets: the chain, and the vault's two, unless given. */
  reconciling: Partial<NonNullable<SubmitterOptions['reconciling']>> = {}
  /** Who pays for transactions: the engine itself where there are none. */
  sources: readonly Keypair[] = []
  readonly actor: JournaledActor<SettlementQuery, SettlementMessage, SettlementLocal, SettlementMachine>
  #driver: Driver | undefined
  #trades = 0

  /** @param channel of the contract, whose engine is the vault's unless `engine` says */
  constructor(vault: DeployedVault, maxAge_ms = 20, channel = 0) {
    this.vault = vault
    this.channel = channel
    this.actor = new JournaledActor(() => new SettlementMachine({ channel, vaultPartitions: 2, maxAge_ms, maxAccounts: 100, maxTrades: 100, assetsOf: vault.assetsOf, salts, faults: { afterRefusals: 3, aside_ms: 3_000 } }), { live: true })
  }

  get status(): SettlementStatus {
    return this.actor.machine.status
  }

  get reports(): SettlementReport[] {
    return this.actor.sent.map(({ message }) => message as SettlementReport)
  }

  register(...traders: Trader[]): void {
    this.actor.hear('watcher.0', ...traders.map(({ account, index }): SettlementMessage => ({ kind: 'registered', account, index })))
  }

  /** `buyer` buys `base` native from `seller` for `quote` USD. */
  trade(...deal: Deal): void {
    this.trades([deal])
  }

  /** In one packet, so that one batch takes them however slow the machine is. */
  trades(deals: readonly Deal[]): readonly Trade[] {
    const traded = deals.map(([buyer, seller, base, quote, buyerFee = 0n, sellerFee = 0n]) => ({ ...trade(++this.#trades, { buyer: 0, seller: 0, base, quote, buyerFee, sellerFee }), buyer: buyer.account, seller: seller.account }))
    this.actor.hear('pair.A0-A1', ...traded)
    return traded
  }

  start(calls = new FaultyCalls(), overrides: Partial<StellarRpc> = {}, server: StellarRpc = this.vault.chain.server, contract = this.vault.contract): void {
    const { vault, log } = this
    this.#driver = driveSettlement(
      {
        machine: this.actor.machine,
        server: calls.wrap<StellarRpc>(server, overrides),
        vault: contract,
        channel: this.channel,
        engine: this.engine ?? (async () => vault.engine),
        sources: async () => this.sources,
        ...(this.cosigning !== undefined && { cosigning: this.cosigning }),
        poll_ms: 30,
        lifetime_s: this.lifetime_s,
        ...(this.reconcile_ms !== undefined && { reconciling: { server: vault.chain.server, assets: vault.assets, every_ms: this.reconcile_ms, ...this.reconciling } }),
        log,
      },
      calls.wrap(this.actor.handle()),
    )
  }

  /** The process is gone in the middle of whatever it did; its successor replays the journal. */
  kill(): void {
    this.actor.restart()
    void this.#driver?.stop()
  }

  async end(): Promise<void> {
    this.actor.close()
    await this.#driver?.stop()
  }

  settled(sequence: number): Promise<void> {
    return until(`batch ${sequence} settles`, () => this.status.settled?.sequence === sequence && this.status.queued === 0)
  }
}

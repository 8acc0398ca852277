import t from 'tap'
import type { Driver } from '../../src/actors/runtime/driver.ts'
import { VaultMachine } from '../../src/actors/vault/vaultMachine.ts'
import type { AccountId, ActorName, Amount, MessageId, Seconds } from '../../src/protocol/identity.ts'
import type { Answer } from '../../src/protocol/packets.ts'
import type { SettlementMessage } from '../../src/protocol/settlement.ts'
import { settlementActor, vaultActor, watcherActor } from '../../src/protocol/subjects.ts'
import type { ChainReport, OperatorQuery, VaultMessage, VaultQuery } from '../../src/protocol/vault.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import { withdraw } from '../../src/settlement/deployment.ts'
import { driveWatcher } from '../../src/settlement/watcherDriver.ts'
import { WatcherMachine } from '../../src/settlement/watcherMachine.ts'
import type { WatcherLocal } from '../../src/settlement/watcherMachine.ts'
import type { WatcherQuery } from '../../src/settlement/watcherStatus.ts'
import { Recorder } from '../pair/recorder.ts'
import { smallVenue } from '../pair/smallVenue.ts'
import { DeployedVault } from './deployedVault.ts'
import type { Trader } from './deployedVault.ts'
import { JournaledActor } from './journaledActor.ts'
import { LocalChain } from './localChain.ts'
import { SettlementRig } from './settlementRig.ts'
import { until } from './waiting.ts'

// Vault actors, the watcher and the settlement actor with their drivers, on a real network: books and chain are held against each other, and made to part.

t.setTimeout(280_000)

const chain = await LocalChain.start('0.3')
t.teardown(() => chain.end())
const vault = await DeployedVault.deploy(chain)
const { assets } = vault
const { file } = smallVenue(2)
const market = { base: assets[0].code, quote: assets[1].code, lotSize: '10', tickSize: '2', minLots: 1, maxLots: 1_000, maxTicks: 1_000_000, maxLifetime_s: 3_600 }
const venue = readVenue({ ...file, assets, markets: [market] })

/** The three kinds of actors, and what they say to each other, in order. */
class Books {
  readonly rig = new SettlementRig(vault)
  readonly vaults = [0, 1].map((n) => new JournaledActor<VaultQuery | OperatorQuery, VaultMessage, never, VaultMachine>(() => new VaultMachine(n, venue), { live: true }))
  readonly watcher = new JournaledActor<WatcherQuery, never, WatcherLocal, WatcherMachine>(() => new WatcherMachine(2, vault.fromLedger), { live: true })
  /** Reports of the watcher that get lost on their way. */
  lost: (report: ChainReport) => boolean = () => false
  readonly #driver: Driver
  readonly #delivered = new Map<object, number>()
  readonly #pump: NodeJS.Timeout

  constructor() {
    this.#driver = driveWatcher({ machine: this.watcher.machine, server: chain.server, vault: vault.contract, fromLedger: vault.fromLedger, poll_ms: 30, log: this.rig.log }, this.watcher.handle())
    this.rig.reconcile_ms = 50
    this.rig.start()
    this.#pump = setInterval(() => this.#deliver(), 10)
  }

  async end(): Promise<void> {
    clearInterval(this.#pump)
    for (const actor of [...this.vaults, this.watcher]) actor.close()
    await Promise.all([this.rig.end(), this.#driver.stop()])
  }

  /** The vault actor that owns an account. */
  of(account: AccountId): (typeof this.vaults)[number] {
    const owner = this.vaults.find(({ machine }) => machine.state.accounts.has(account))
    if (owner === undefined) throw new Error('nobody owns that account')
    return owner
  }

  /** Both assets of each account were compared, as of a ledger behind the given one. */
  compared(ledger: number, ...traders: Trader[]): Promise<void> {
    return until('books are held against the chain', () =>
      traders.every(({ account }) => this.vaults.some(({ machine }) => [...(machine.state.compared.get(account)?.values() ?? [])].filter(({ agreed }) => (agreed ?? 0) > ledger).length === 2)))
  }

  withdraw(account: AccountId, asset: 0 | 1, amount: bigint): string | null {
    const effects = new Recorder(Date.now())
    const expires = (Math.floor(effects.time / 1_000) + 600) as Seconds
    this.of(account).machine.command({ kind: 'withdraw', id: `w${Math.random()}` as MessageId, account, signer: account, asset: assets[asset].contract, amount: amount as Amount, expires }, { gateway: 'g', request: 1 }, effects)
    const answer = effects.answers[0]?.answer as Answer
    return 'refused' in answer ? answer.refused : null
  }

  /** The authorisation, null where it is refused. */
  async cosign(withdrawal: string, account: AccountId, asset: 0 | 1, amount: bigint): Promise<string | null> {
    this.rig.actor.hear(vaultActor(0), { kind: 'cosign', withdrawal: withdrawal as MessageId, account, asset: assets[asset].contract, amount: amount as Amount })
    const answer = (): (typeof this.rig.reports)[number] | undefined => this.rig.reports.find((report) => (report.kind === 'cosigned' || report.kind === 'cosignRefused') && report.withdrawal === withdrawal)
    await until('the engine answers', () => answer() !== undefined)
    const given = answer()
    return given?.kind === 'cosigned' ? given.authorization : null
  }

  #deliver(): void {
    this.#pass(this.watcher, watcherActor)
    this.#pass(this.rig.actor, settlementActor(0))
    for (const [n, actor] of this.vaults.entries()) this.#pass(actor, vaultActor(n))
  }

  #pass({ sent }: { readonly sent: readonly { readonly to: ActorName; readonly message: unknown }[] }, from: ActorName): void {
    const begin = this.#delivered.get(sent) ?? 0
    this.#delivered.set(sent, sent.length)
    for (const { to, message } of sent.slice(begin)) {
      if (from === watcherActor && this.lost(message as ChainReport)) continue
      if (to === settlementActor(0)) this.rig.actor.hear(from, message as SettlementMessage)
      else this.vaults[Number(to.slice('vault.'.length))]?.hear(from, message as VaultMessage)
    }
  }
}

const books = new Books()
t.teardown(() => books.end())
const [alice, bob] = [await vault.trader(), await vault.trader()]
const latest = async (): Promise<number> => (await chain.server.getLatestLedger()).sequence

t.test('deposits, batches and withdrawals in flight make no difference', async (t) => {
  await vault.deposit(alice, 0, 10_000n)
  await vault.deposit(bob, 1, 90_000n)
  await until('the watcher has reported both', () => books.rig.actor.machine.indexes.size === 2)
  for (let round = 1; round <= 8; round++) {
    books.rig.trade(bob, alice, 100n, 700n)
    if (round % 3 === 0) await vault.deposit(alice, 0, 50n)
    if (round === 4) {
      const authorization = await books.cosign('paid', bob.account, 1, 1_000n)
      await withdraw(vault.signer(bob.key), vault.contract.id, assets[1].contract, 1_000n, authorization!)
    }
    await until('the batch settles', () => (books.rig.status.settled?.sequence ?? 0) >= round)
  }
  await books.compared(await latest(), alice, bob)
  const { alarms, differences, reconciled } = books.rig.status
  t.notOk(alarms.includes('books_differ'))
  t.equal(differences.balances, 0)
  t.match(reconciled, { accounts: 2 })
  t.notMatch(books.rig.log.lines.map(({ message }) => message), [/differ/])
  for (const { machine } of books.vaults) t.notMatch(machine.state.alarms.map(({ kind }) => kind), ['books_differ'])
})

t.test('money that only the books have is found, named, and does not leave', async (t) => {
  const owner = books.of(alice.account)
  const asset = assets[1].contract
  const made = { account: alice.account, asset, amount: 5n as Amount, transaction: 'ee'.repeat(32), ledger: await latest() } as const
  owner.hear(watcherActor, { kind: 'deposited', ...made })
  const record = owner.journal.length
  await until('it is found', () => books.rig.status.alarms.includes('books_differ'))
  const { differences } = books.rig.status
  t.match(differences, { balances: 1, first: [{ account: alice.account, asset, first: { record, transaction: made.transaction } }] })
  t.ok(differences.first[0]!.ledger >= made.ledger && differences.first[0]!.agreed! <= differences.first[0]!.ledger)
  t.match(owner.machine.state.alarms.at(-1), { kind: 'books_differ', account: alice.account, transaction: made.transaction })
  await until('it is told', () => books.rig.log.lines.some(({ at, level }) => at === 'settlement.reconciler' && level === 'error'))
  const line = books.rig.log.lines.find(({ at }) => at === 'settlement.reconciler')
  t.match(line?.ids, { record, transaction: made.transaction })
  t.notOk(JSON.stringify(line).includes(alice.account), 'the log says neither whose it is, nor how much')
  t.equal(books.withdraw(alice.account, 0, 1n), 'books_differ')
  t.equal(await books.cosign('held', alice.account, 0, 1n), null, 'nor does one that was asked for before')
  t.type(await books.cosign('free', bob.account, 1, 1n), 'string', 'others are paid')

  // Restarts change nothing: what is held stays held.
  owner.restart()
  books.rig.kill()
  books.rig.start()
  t.equal(books.withdraw(alice.account, 0, 1n), 'books_differ')
  t.equal(await books.cosign('held still', alice.account, 0, 1n), null)

  owner.hear(watcherActor, { kind: 'withdrawn', ...made, transaction: 'dd'.repeat(32) })
  await until('they agree again', () => books.rig.status.differences.balances === 0)
  t.notOk(books.rig.status.alarms.includes('books_differ'))
  t.equal(books.withdraw(alice.account, 0, 1n), null)
  t.type(await books.cosign('freed', alice.account, 0, 1n), 'string')
})

t.test('money that only the chain has is found too', async (t) => {
  books.lost = (report) => report.kind === 'deposited'
  await vault.deposit(bob, 0, 3n)
  await until('it is found', () => books.rig.status.differences.balances === 1)
  t.match(books.rig.status.differences.first, [{ account: bob.account, asset: assets[0].contract, first: null }], 'no record moved it since they agreed')
  t.equal(books.withdraw(bob.account, 1, 1n), 'books_differ')
  t.equal(books.withdraw(alice.account, 0, 1n), null)
})

import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import type { Driver } from '../../src/actors/runtime/driver.ts'
import { VaultOnChain } from '../../src/client/chain.ts'
import { SecretSigner } from '../../src/client/secretSigner.ts'
import type { AccountId } from '../../src/protocol/identity.ts'
import type { SettlementMessage } from '../../src/protocol/settlement.ts'
import type { ChainReport } from '../../src/protocol/vault.ts'
import { authorizeWithdrawal } from '../../src/settlement/cosigner.ts'
import { withdraw } from '../../src/settlement/deployment.ts'
import { chainHead } from '../../src/settlement/stellarRpc.ts'
import type { StellarRpc } from '../../src/settlement/stellarRpc.ts'
import { QuorumRpc } from '../../src/settlement/endpoints/quorumRpc.ts'
import { driveWatcher } from '../../src/settlement/watcherDriver.ts'
import { WatcherMachine } from '../../src/settlement/watcherMachine.ts'
import type { WatcherLocal } from '../../src/settlement/watcherMachine.ts'
import type { WatcherQuery } from '../../src/settlement/watcherStatus.ts'
import { DeployedVault } from './deployedVault.ts'
import type { Trader } from './deployedVault.ts'
import { FaultyCalls, withCalls } from './faultyCalls.ts'
import { JournaledActor } from './journaledActor.ts'
import { LocalChain, PASSPHRASE } from './localChain.ts'
import { TestLog, until } from './waiting.ts'

t.setTimeout(240_000)

class WatcherRig {
  readonly log = new TestLog()
  readonly vault: DeployedVault
  readonly actor: JournaledActor<WatcherQuery, never, WatcherLocal, WatcherMachine>
  #driver: Driver | undefined

  constructor(vault: DeployedVault) {
    this.vault = vault
    this.actor = new JournaledActor(() => new WatcherMachine(2, vault.fromLedger), { live: true })
  }

  start(calls = new FaultyCalls(), page = 2, overrides: Partial<StellarRpc> = {}, server: StellarRpc = this.vault.chain.server): void {
    const { vault, log, actor } = this
    this.#driver = driveWatcher(
      { machine: actor.machine, server: calls.wrap<StellarRpc>(server, overrides), vault: vault.contract, fromLedger: vault.fromLedger, poll_ms: 30, page, log },
      calls.wrap(actor.handle()),
    )
  }

  kill(): void {
    this.actor.restart()
    void this.#driver?.stop()
  }

  async end(): Promise<void> {
    this.actor.close()
    await this.#driver?.stop()
  }

  get reports(): (ChainReport | SettlementMessage)[] {
    return this.actor.sent.map(({ message }) => message as ChainReport)
  }

  get transactions(): string[] {
    return this.reports.flatMap((report) => (report.kind === 'deposited' || report.kind === 'withdrawn' ? [report.transaction] : []))
  }

  /** Resolves when everything the chain has now is reported. */
  async caughtUp(): Promise<void> {
    const { ledger } = await chainHead(this.vault.chain.server)
    await until('the watcher catches up', () => this.actor.machine.ledger >= ledger)
  }
}

t.test('the watcher on a chain that closes ledgers', async (t) => {
  const chain = await LocalChain.start('0.1')
  t.teardown(() => chain.end())
  const vault = await DeployedVault.deploy(chain)
  const traders: Trader[] = [await vault.trader(), await vault.trader(), await vault.trader()]
  const [alice, bob, carol] = traders as [Trader, Trader, Trader]
  const rig = new WatcherRig(vault)
  t.teardown(() => rig.end())
  const moved: string[] = []
  const deposit = async (trader: Trader, asset: 0 | 1, amount: bigint): Promise<void> => void moved.push((await vault.deposit(trader, asset, amount)).hash)

  await t.test('deposits from the contract’s first ledger on, each once, also several in one ledger', async (t) => {
    await deposit(alice, 1, 500n)
    await Promise.all([deposit(alice, 0, 600n), deposit(bob, 1, 700n), deposit(carol, 1, 800n)])
    rig.start()
    await rig.caughtUp()
    t.same(rig.transactions.toSorted(), moved.toSorted())
    const registered = rig.reports.flatMap((report) => (report.kind === 'registered' ? [[report.account, report.index]] : []))
    t.same(new Map(registered as [AccountId, number][]), new Map(traders.map(({ account, index }) => [account, index])))
    const first = rig.reports.find((report) => report.kind === 'deposited')
    t.match(first, { account: alice.account, asset: vault.assets[1].contract, amount: 500n, transaction: moved[0] })
    rig.kill()
  })

  await t.test('killed before and after each call, it sees each deposit once', async (t) => {
    for (const when of ['before', 'after'] as const) {
      for (let n = 1; n <= 4; n++) {
        const calls = new FaultyCalls(n, when)
        rig.start(calls)
        await Promise.all([deposit(alice, 0, 1n), deposit(bob, 1, 1n), deposit(carol, 1, 1n)])
        await until('the driver hangs', () => calls.hung !== null)
        rig.kill()
        rig.start()
        await rig.caughtUp()
        calls.release()
        await setTimeout(60)
        rig.kill()
      }
    }
    t.same(rig.transactions.toSorted(), moved.toSorted())
  })

  await t.test('with the network gone for a while, it goes on where it was', async (t) => {
    rig.start()
    await deposit(alice, 0, 2n)
    await chain.stop()
    await until('the driver notices', () => rig.log.count('cannot go on, trying again') === 1)
    await chain.start()
    await deposit(bob, 1, 2n)
    await rig.caughtUp()
    t.same(rig.transactions.toSorted(), moved.toSorted())
    rig.kill()
  })

  await t.test('a withdrawal is reported with its transaction', async (t) => {
    const { ledger } = await chainHead(chain.server)
    const authorization = await authorizeWithdrawal(vault.contract, vault.engine, { account: alice.account, asset: vault.token, amount: 100n as never }, ledger + 100)
    const { hash } = await withdraw(vault.signer(alice.key), vault.contract.id, vault.token, 100n, authorization)
    moved.push(hash)
    rig.start()
    await rig.caughtUp()
    t.match(rig.reports.find((report) => report.kind === 'withdrawn'), { account: alice.account, asset: vault.token, amount: 100n, transaction: hash })
    t.same(rig.transactions.toSorted(), moved.toSorted())
    rig.kill()
  })

  await t.test('what a user asks of the contract itself is reported, and that it was taken back', async (t) => {
    const own = new VaultOnChain(chain.url, PASSPHRASE, vault.contract.id, new SecretSigner(bob.key.secret()))
    const asked = await own.requestWithdrawal(vault.token, 50n)
    const back = await own.cancelRequest(vault.token)
    rig.start()
    await rig.caughtUp()
    const exits = rig.reports.filter((report) => report.kind === 'exit')
    const report = { kind: 'exit', account: bob.account, asset: vault.token }
    const [first] = exits
    t.same(exits, [{ ...report, amount: 50n, due: first?.due, ...asked }, { ...report, amount: 0n, due: 0, ...back }])
    t.ok(first!.due > Date.now() / 1_000 + 3_600, 'and when the contract pays it: a day later')
    rig.kill()
  })

  await t.test('of three RPC endpoints one makes up deposits: no more is reported than came, and it is named', async (t) => {
    await deposit(alice, 1, 9n)
    const { server } = chain
    let lies: Awaited<ReturnType<StellarRpc['getEvents']>>['events'] = []
    const made: StellarRpc['getEvents'] = async (request) => {
      const page = await server.getEvents(request)
      // It goes on with the last of them where nothing is new: one that agrees for a while is named no more.
      if (page.events.length > 0) lies = page.events.map((event) => ({ ...event, txHash: 'ab'.repeat(32) }))
      return { ...page, events: [...page.events, ...lies] }
    }
    const endpoints = [server, withCalls(server, { getEvents: made }), server].map((each, n) => ({ name: `e${n}`, server: each }))
    const quorum = new QuorumRpc({ endpoints, log: rig.log })
    rig.start(new FaultyCalls(), 2, {}, quorum)
    await deposit(bob, 1, 10n)
    await rig.caughtUp()
    await until('the liar is named', () => rig.actor.machine.disagreeing.join() === 'e1')
    t.same(rig.transactions.toSorted(), moved.toSorted())
    rig.kill()
    t.same(rig.actor.machine.disagreeing, ['e1'])
    rig.log.lines.length = 0
    rig.start()
    await until('nobody lies any more', () => rig.actor.machine.disagreeing.length === 0)
    rig.kill()
  })

  await t.test('ledgers that an RPC no longer keeps stop it, loudly, and one that keeps them lets it go on', async (t) => {
    await deposit(alice, 0, 3n)
    const { cursor } = rig.actor.machine
    const { length } = moved
    const cut: StellarRpc['getEvents'] = async (request) => {
      const page = await chain.server.getEvents(request)
      return { ...page, oldestLedger: rig.actor.machine.ledger + 2 }
    }
    rig.start(new FaultyCalls(), 2, { getEvents: cut })
    await until('it stands', () => rig.actor.machine.gap !== null)
    t.same(rig.actor.machine.gap, { needed: rig.actor.machine.ledger + 1, oldest: rig.actor.machine.ledger + 2 })
    t.equal(rig.actor.machine.cursor, cursor)
    t.equal(rig.log.lines.filter(({ level }) => level === 'error').length, 1)
    t.equal(rig.transactions.length, length - 1)
    rig.kill()
    t.not(rig.actor.machine.gap, null)
    rig.start()
    await rig.caughtUp()
    t.equal(rig.actor.machine.gap, null)
    t.same(rig.transactions.toSorted(), moved.toSorted())
    rig.kill()
  })

  await t.test('a cursor whose ledger is gone, but was read to its end, is gone on from', async (t) => {
    await deposit(alice, 0, 4n)
    const reached = rig.actor.machine.ledger
    const rpcError = { code: -32600, message: 'startLedger must be within the ledger range' }
    const getEvents: StellarRpc['getEvents'] = async (request) => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- what the SDK throws
      if (request.cursor !== undefined && rig.actor.machine.ledger === reached) throw rpcError
      return { ...(await chain.server.getEvents(request)), oldestLedger: reached + 1 }
    }
    const getTransaction: StellarRpc['getTransaction'] = async (hash) => ({ ...(await chain.server.getTransaction(hash)), oldestLedger: reached + 1 })
    rig.start(new FaultyCalls(), 2, { getEvents, getTransaction })
    await rig.caughtUp()
    t.equal(rig.actor.machine.gap, null)
    t.same(rig.transactions.toSorted(), moved.toSorted())
  })
})

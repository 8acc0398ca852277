import { setTimeout } from 'node:timers/promises'
import { Contract, FeeBumpTransaction, Keypair, rpc, TransactionBuilder, xdr } from '@stellar/stellar-sdk'
import type { Transaction } from '@stellar/stellar-sdk'
import t from 'tap'
import type { ActorName, Amount, MessageId, Milliseconds } from '../../src/protocol/identity.ts'
import type { SettlementMessage } from '../../src/protocol/settlement.ts'
import { makeBatchTransaction } from '../../src/settlement/batchTransaction.ts'
import { QuorumRpc } from '../../src/settlement/endpoints/quorumRpc.ts'
import type { LedgerReader, StellarRpc } from '../../src/settlement/stellarRpc.ts'
import type { Submission } from '../../src/settlement/flight.ts'
import { chainHead } from '../../src/settlement/stellarRpc.ts'
import { execute } from '../../src/settlement/transaction.ts'
import type { ChainChannel, VaultContract } from '../../src/settlement/vaultContract.ts'
import { DeployedVault } from './deployedVault.ts'
import type { Trader } from './deployedVault.ts'
import { FaultyCalls, withCalls } from './faultyCalls.ts'
import { LocalChain } from './localChain.ts'
import { SettlementRig } from './settlementRig.ts'
import type { Deal } from './settlementRig.ts'
import { trade } from './trades.ts'
import { until } from './waiting.ts'

t.setTimeout(240_000)

const FUNDS = 1_000_000n

/** The contract as an RPC shows it that says something else of the channel. */
const withChannel = (contract: VaultContract, change: (channel: ChainChannel) => ChainChannel): VaultContract =>
  new Proxy(contract, {
    get: (target, name) => {
      if (name === 'getChannel') return async (...call: Parameters<VaultContract['getChannel']>) => change(await target.getChannel(...call))
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })

t.test('settlement on a chain that closes ledgers', async (t) => {
  const chain = await LocalChain.start('0.1')
  t.teardown(() => chain.end())
  const vault = await DeployedVault.deploy(chain)
  const [alice, bob] = await vault.counterparties(FUNDS)
  /** What alice must hold now: native, USD. Bob holds the rest. */
  const held = { native: 0n, usd: FUNDS }
  const rig = new SettlementRig(vault)
  t.teardown(() => rig.end())
  rig.register(alice, bob)

  const bought = (base: bigint, quote: bigint): Deal => {
    held.native += base
    held.usd -= quote
    return [alice, bob, base, quote]
  }
  const aliceBuys = (base: bigint, quote: bigint): void => rig.trade(...bought(base, quote))
  const balancesAreRight = async (t: Tap): Promise<void> => {
    const balances = await Promise.all([vault.balance(alice, 0), vault.balance(alice, 1), vault.balance(bob, 0), vault.balance(bob, 1)])
    t.same(balances, [held.native, held.usd, FUNDS - held.native, FUNDS - held.usd])
  }
  const sequence = async (): Promise<number> => (await vault.contract.getChannel(chain.server, 0)).sequence

  await t.test('trades settle, and the reports name transaction and ledger', async (t) => {
    rig.start(new FaultyCalls(), {
      sendTransaction: (transaction) => {
        const hash = Buffer.from(transaction.hash()).toString('hex')
        t.ok(rig.actor.journal.some((record) => Buffer.from(record).includes(hash)), 'it is in the journal before it is sent')
        return chain.server.sendTransaction(transaction)
      },
    })
    rig.trades([bought(100n, 350n), bought(1n, 3n)])
    await rig.settled(1)
    await balancesAreRight(t)
    const settled = rig.status.settled
    const transaction = await chain.server.getTransaction(settled?.transaction ?? '')
    t.equal(transaction.status, rpc.Api.GetTransactionStatus.SUCCESS)
    t.same(transaction.status === rpc.Api.GetTransactionStatus.SUCCESS && transaction.ledger, settled?.ledger)
    t.same(rig.reports.map((report) => report.kind === 'settled' && [report.account, report.trades.length, report.moves[0]?.in, report.moves[1]?.out]), [
      [alice.account, 2, 101n, 353n],
      [bob.account, 2, 0n, 0n],
    ])
  })

  await t.test('trades that cancel out settle with empty deltas', async (t) => {
    rig.kill()
    rig.start()
    rig.trades([
      [alice, bob, 5n, 7n],
      [bob, alice, 5n, 7n],
    ])
    await rig.settled(2)
    t.equal(await sequence(), 2)
    await balancesAreRight(t)
    const onChain = await vault.contract.getChannel(chain.server, 0)
    t.equal(onChain.epoch, rig.actor.epoch, 'the second owner’s')
  })

  await t.test('killed before and after each call it makes, it settles once', async (t) => {
    rig.kill()
    let batch = 2
    for (const when of ['before', 'after'] as const) {
      const places: string[] = []
      for (let n = 1; ; n++) {
        const calls = new FaultyCalls(n, when)
        rig.start(calls)
        aliceBuys(10n, 20n)
        batch++
        await until('the driver hangs or the batch settles', () => calls.hung !== null || rig.status.settled?.sequence === batch)
        const { hung } = calls
        if (hung === null) {
          rig.kill()
          break
        }
        places.push(hung)
        rig.kill()
        rig.start()
        await rig.settled(batch)
        // What the dead process still had on its way arrives now.
        calls.release()
        await setTimeout(150)
        rig.kill()
      }
      for (const call of ['getTransaction', 'simulateTransaction', 'submit', 'sendTransaction']) t.ok(places.some((place) => place === `${when} ${call}`), `${when} ${call} in ${places.join()}`)
    }
    t.equal(await sequence(), batch)
    await balancesAreRight(t)
    const told = rig.reports.flatMap((report) => (report.kind === 'settled' && report.account === alice.account ? report.trades : []))
    t.equal(new Set(told).size, told.length)
    t.equal(rig.log.lines.filter(({ level }) => level === 'error').length, 0)
  })

  await t.test('with the network gone for a while, trades settle when it is back', async (t) => {
    const { length } = rig.log.lines
    rig.start()
    await chain.stop()
    const before = rig.status.settled?.sequence ?? 0
    aliceBuys(7n, 9n)
    await until('the driver notices', () => rig.log.count('cannot go on, trying again') > 0)
    await setTimeout(1_500)
    t.equal(rig.log.lines.slice(length).filter(({ level }) => level === 'warn').length, 1, 'said once, not with each try')
    await chain.start()
    await rig.settled(before + 1)
    await until('the driver says that it goes on', () => rig.log.count('goes on again') > 0)
    await balancesAreRight(t)
    rig.kill()
  })

  await t.test('a transaction that an RPC calls refused and yet lets apply is found', async (t) => {
    const before = rig.status.settled?.sequence ?? 0
    rig.start(new FaultyCalls(), {
      sendTransaction: async (transaction) => {
        const answer = await chain.server.sendTransaction(transaction)
        await setTimeout(300)
        return { ...answer, status: 'ERROR' }
      },
    })
    aliceBuys(3n, 4n)
    await rig.settled(before + 1)
    t.equal(await sequence(), before + 1)
    await balancesAreRight(t)
    rig.kill()
  })

  await t.test('a batch overtaken by a deposit that grows its page fails, and is sent anew', async (t) => {
    const before = rig.status.settled?.sequence ?? 0
    const newcomer = await vault.trader()
    let sends = 0
    rig.start(new FaultyCalls(), {
      sendTransaction: async (transaction) => {
        // Between the batch's simulation and its ledger.
        if (++sends === 1) await vault.deposit(newcomer, 1, 5n)
        return chain.server.sendTransaction(transaction)
      },
    })
    aliceBuys(2n, 3n)
    await rig.settled(before + 1)
    t.ok(sends > 1)
    t.equal(rig.log.lines.filter(({ message }) => message === 'transaction did not apply').at(-1)?.ids && (await sequence()), before + 1)
    await balancesAreRight(t)
    rig.kill()
  })

  await t.test('a trade that spends what another market’s trade will bring waits for it', async (t) => {
    const before = rig.status.settled?.sequence ?? 0
    const carol: Trader = await vault.trader()
    await vault.deposit(carol, 1, 100n)
    rig.register(carol)
    rig.start()
    rig.trade(alice, carol, 50n, 60n)
    await until('the chain refuses it', () => rig.status.refusals > 0)
    t.equal(rig.status.lastRefusal, 'contract error 23')
    t.equal(rig.status.settled?.sequence, before)
    rig.trade(carol, bob, 50n, 55n)
    await rig.settled(before + 1)
    t.same(await Promise.all([vault.balance(carol, 0), vault.balance(carol, 1)]), [0n, 105n])
    t.equal(rig.status.refusals, 0)
    rig.kill()
  })

  await t.test('a trade that the chain never takes is set aside, the others settle, and it settles once it can', async (t) => {
    const before = rig.status.settled?.sequence ?? 0
    const dave: Trader = await vault.trader()
    await vault.deposit(dave, 1, 1n)
    rig.register(dave)
    let [asked, sent] = [0, 0]
    rig.start(new FaultyCalls(), {
      // Balances are asked for as well, now and then.
      getAccountEntry: async (id) => new Proxy(await chain.server.getAccountEntry(id), { get: (entry, name): unknown => (name === 'seqNum' && asked++, Reflect.get(entry, name)) }),
      sendTransaction: (transaction) => (sent++, chain.server.sendTransaction(transaction)),
    })
    const ofAlice = (): Promise<bigint[]> => Promise.all([vault.balance(alice, 0), vault.balance(alice, 1)])
    const [native = 0n, usd = 0n] = await ofAlice()
    // Dave sells what he does not have.
    rig.trades([bought(4n, 4n), [alice, dave, 40n, 1n], bought(6n, 6n)])
    await rig.settled(before + 1)
    t.equal(asked, sent, 'no question about the batch asks for a sequence number')
    t.equal(rig.status.aside.trades, 1)
    t.same(rig.status.alarms, ['aside'])
    t.same(await ofAlice(), [native + 10n, usd - 10n])
    t.ok(rig.log.lines.some(({ level, message }) => level === 'error' && message === 'trades that the chain does not take are set aside'))
    rig.kill()
    rig.start()
    await vault.deposit(dave, 0, 100n)
    await rig.settled(before + 2)
    t.same(await Promise.all([vault.balance(dave, 0), vault.balance(dave, 1)]), [60n, 2n])
    t.same(await ofAlice(), [native + 50n, usd - 11n])
    t.same(rig.status.alarms, [])
    rig.kill()
  })

  await t.test('while the contract is paused trades wait, and none of them is thought to be at fault', async (t) => {
    const before = rig.status.settled?.sequence ?? 0
    const admin = (call: string): Promise<unknown> => execute(vault.signer(vault.admin), new Contract(vault.contract.id).call(call, xdr.ScVal.scvVoid()))
    await admin('pause')
    rig.start()
    aliceBuys(1n, 1n)
    await until('it has been refused for long enough to look for what is at fault', () => rig.status.refusals > 4)
    t.equal(rig.status.lastRefusal, 'contract error 127')
    t.equal(rig.status.aside.trades, 0)
    await admin('unpause')
    await rig.settled(before + 1)
    rig.kill()
  })

  await t.test('whatever one of three RPC endpoints says of transactions, and with another down for a while, each trade settles once; the liar is named', async (t) => {
    const before = rig.status.settled?.sequence ?? 0
    const { server } = chain
    let [lies, down] = [0, false]
    const lying = withCalls<StellarRpc & LedgerReader>(server, {
      getTransaction: async (hash) => {
        const answer = await server.getTransaction(hash)
        const later = { status: rpc.Api.GetTransactionStatus.NOT_FOUND, txHash: hash, latestLedger: answer.latestLedger + 500, latestLedgerCloseTime: 2 ** 40, oldestLedger: 1, oldestLedgerCloseTime: 1 } as const
        const found = { ...later, status: rpc.Api.GetTransactionStatus.SUCCESS, ledger: answer.latestLedger, createdAt: 1, resultXdr: { result: { type: 'txSuccess' } } } as never
        return ++lies % 2 === 0 ? later : found
      },
      simulateTransaction: async (...call) => ({ ...(await server.simulateTransaction(...call)), error: 'HostError: Error(Contract, #23)' }),
      sendTransaction: async (transaction) => ({ ...(await server.sendTransaction(transaction)), status: 'ERROR' }),
    })
    const endpoints = [lying, server, server].map((each, n) => ({ name: `e${n}`, server: each }))
    rig.start(new FaultyCalls(), {}, new QuorumRpc({ endpoints, log: rig.log }))
    for (let n = 1; n <= 3; n++) {
      aliceBuys(1n, 2n)
      await rig.settled(before + n)
    }
    t.equal(await sequence(), before + 3)
    await until('it is named', () => rig.status.disagreeing.join() === 'e0')
    t.ok(rig.status.alarms.includes('rpc_disagrees'))
    rig.kill()
    const fails = (): Promise<never> => Promise.reject(new Error('it is down'))
    const dead = withCalls<StellarRpc & LedgerReader>(server, { getTransaction: (hash) => (down ? fails() : server.getTransaction(hash)), simulateTransaction: fails, sendTransaction: fails, getFeeStats: fails, getAccountEntry: fails })
    down = true
    rig.start(new FaultyCalls(), {}, new QuorumRpc({ endpoints: [dead, server, server].map((each, n) => ({ name: `e${n}`, server: each })), log: rig.log }))
    aliceBuys(1n, 2n)
    await rig.settled(before + 4)
    await until('nobody disagrees', () => rig.status.alarms.length === 0)
    rig.kill()
  })

  await t.test('source accounts pay in turn for what the engine signs; one that has nothing is passed over, and said to be low', async (t) => {
    const before = rig.status.settled?.sequence ?? 0
    const [first, second, poor] = [Keypair.random(), Keypair.random(), Keypair.random()]
    for (const key of [first, second]) await chain.server.requestAirdrop(key.publicKey())
    const engineAt = async (): Promise<bigint> => (await chain.server.getAccountEntry(vault.engine.publicKey())).seqNum
    const unmoved = await engineAt()
    rig.sources = [first, second]
    const paid: string[] = []
    const sendTransaction: StellarRpc['sendTransaction'] = (transaction) => {
      if (!(transaction instanceof FeeBumpTransaction)) paid.push(transaction.source)
      return chain.server.sendTransaction(transaction)
    }
    rig.start(new FaultyCalls(), { sendTransaction })
    for (let n = 1; n <= 2; n++) {
      aliceBuys(1n, 2n)
      await rig.settled(before + n)
    }
    t.same(new Set(paid), new Set([first.publicKey(), second.publicKey()]))
    t.equal(await engineAt(), unmoved, 'the engine pays nothing')
    rig.kill()
    rig.sources = [first, poor]
    rig.start(new FaultyCalls(), { sendTransaction })
    await until('it is said', () => rig.status.feesLow.join() === poor.publicKey())
    t.same(rig.status.alarms, ['fees_low'])
    for (let n = 3; n <= 4; n++) {
      aliceBuys(1n, 2n)
      await rig.settled(before + n)
    }
    t.notOk(paid.includes(poor.publicKey()))
    rig.kill()
    rig.sources = []
    rig.start()
    await until('nobody is low', () => rig.status.alarms.length === 0)
    rig.kill()
  })

  await t.test('a batch cannot even be priced while the one before it is on its way: there is nothing to send ahead', async (t) => {
    const settled = await sequence()
    const next = { ...trade(1_000_000, { buyer: 0, seller: 0, base: 1n, quote: 1n }), buyer: alice.account, seller: bob.account }
    const ahead = { ...rig.actor.machine.batchOf([{ trade: next, arrived: 0 as Milliseconds }]), sequence: settled + 2 }
    const made = await makeBatchTransaction({ server: chain.server, vault: vault.contract, engine: vault.engine, payer: vault.engine, batch: ahead, head: await chainHead(chain.server), lifetime_s: 60, attempt: 0, mostFee_stroops: 100_000n })
    t.match(made, { refused: 'contract error 60', tooLarge: false })
  })

  await t.test('an actor whose disk was set back notices before there is a trade: it takes none and co-signs nothing; the one that has all of the history goes on', async (t) => {
    const before = await sequence()
    const cosign = (withdrawal: string): SettlementMessage => ({ kind: 'cosign', withdrawal: withdrawal as MessageId, account: alice.account, asset: vault.token, amount: 1n as Amount })
    const old = new SettlementRig(vault)
    old.register(alice, bob)
    old.actor.hear('vault.0', cosign('w1'))
    old.start()
    await until('it notices', () => old.status.alarms.includes('diverged'))
    t.notOk(old.actor.machine.hasRoom('pair.A0-A1' as ActorName), 'markets wait')
    t.ok(old.actor.machine.hasRoom('watcher.0' as ActorName))
    // Longer than a co-signature takes.
    await setTimeout(1_500)
    t.equal(old.status.cosigns, 1, 'the withdrawal waits')
    t.match(old.log.lines.filter(({ level }) => level === 'error'), [{ message: /takes only cancels/, ids: { sequence: 0, chainSequence: before, page: 'docs/operations/rolled-back-state.md' } }])
    old.kill()
    t.same(old.status.alarms, ['diverged'], 'its next owner knows')
    await old.end()

    rig.actor.hear('vault.0', cosign('w2'))
    rig.start()
    await until('the withdrawal is co-signed', () => rig.status.cosigns === 0)
    t.ok(rig.reports.some((report) => report.kind === 'cosigned' && report.withdrawal === 'w2'))
    aliceBuys(1n, 1n)
    await rig.settled(before + 1)
    t.same(rig.status.alarms, [])
    t.ok(rig.actor.machine.hasRoom('pair.A0-A1' as ActorName))
    rig.kill()
  })

  await t.test('an RPC that lags behind what has settled proves nothing: it is asked again, and nobody is alarmed', async (t) => {
    const before = await sequence()
    const { length } = rig.log.lines
    let lags = 0
    const behind = withChannel(vault.contract, (now) => (++lags <= 2 ? { ...now, sequence: now.sequence - 1, stateRoot: new Uint8Array(32) } : now))
    rig.start(new FaultyCalls(), {}, chain.server, behind)
    await until('it was asked often enough', () => lags > 2)
    aliceBuys(1n, 1n)
    await rig.settled(before + 1)
    t.notOk(rig.log.lines.slice(length).some(({ message }) => message.includes('does not continue')))
    rig.kill()
  })

  await t.test('a channel at the right sequence with another root is another history', async (t) => {
    const before = await sequence()
    const { length } = rig.log.lines
    let forked = true
    const other = withChannel(vault.contract, (now) => (forked ? { ...now, stateRoot: new Uint8Array(32).fill(1) } : now))
    const held = await vault.balance(alice, 0)
    rig.start(new FaultyCalls(), {}, chain.server, other)
    await until('it notices', () => rig.status.alarms.includes('diverged'))
    rig.trade(alice, bob, 1n, 1n)
    await until('the trade has a batch', () => rig.status.flight !== null)
    rig.kill()
    rig.start(new FaultyCalls(), {}, chain.server, other)
    await until('its next owner, which begins with the batch, notices as well', () => rig.log.lines.slice(length).filter(({ message }) => message.includes('does not continue')).length === 2)
    t.equal(await sequence(), before)
    rig.kill()
    forked = false
    rig.start()
    await rig.settled(before + 1)
    t.same(rig.status.alarms, [])
    t.equal(await vault.balance(alice, 0), held + 1n)
    rig.kill()
  })

  await t.test('an actor that lost its history submits nothing and says so', async (t) => {
    const before = await sequence()
    const forgetful = new SettlementRig(vault)
    forgetful.register(alice, bob)
    forgetful.start()
    forgetful.trade(alice, bob, 1n, 1n)
    await until('it notices, and the trade has a batch', () => forgetful.status.alarms.includes('diverged') && forgetful.status.flight !== null)
    t.equal(await sequence(), before)
    t.equal(forgetful.status.flight?.attempts, 0)
    t.equal(forgetful.log.lines.filter(({ level }) => level === 'error').length, 1)
    await forgetful.end()
  })

  await t.test('nor does one whose first batch is formed while it asks whether the chain agrees', async (t) => {
    const before = await sequence()
    // A trade is due at once, and comes between the chain's answer and what the machine hears of it.
    const forgetful = new SettlementRig(vault, 0)
    forgetful.register(alice, bob)
    let asked = 0
    forgetful.start(new FaultyCalls(), {}, chain.server, withChannel(vault.contract, (now) => {
      if (++asked === 1) forgetful.trade(alice, bob, 1n, 1n)
      return now
    }))
    await until('markets are held', () => forgetful.status.alarms.includes('diverged') && forgetful.status.flight !== null)
    t.notOk(forgetful.actor.machine.hasRoom('pair.A0-A1' as ActorName))
    t.equal(await sequence(), before)
    t.equal(forgetful.log.lines.filter(({ level }) => level === 'error').length, 1)
    await forgetful.end()
  })
})

type Tap = Pick<typeof t, 'same'>


t.test('a transaction that never reaches a ledger is replaced only once its time is over', async (t) => {
  const chain = await LocalChain.start('manual')
  t.teardown(() => chain.end())
  const closing = setInterval(() => void chain.close(), 50)
  const vault = await DeployedVault.deploy(chain)
  const [alice, bob] = await vault.counterparties(FUNDS)
  clearInterval(closing)
  await setTimeout(200)

  const rig = new SettlementRig(vault)
  rig.lifetime_s = 3
  rig.sources = [vault.admin, vault.issuer]
  t.teardown(() => rig.end())
  rig.register(alice, bob)
  let sent = 0
  const lost: rpc.Server['sendTransaction'] = async (transaction) => {
    sent++
    return { status: 'PENDING', hash: Buffer.from(transaction.hash()).toString('hex'), latestLedger: 1, latestLedgerCloseTime: 1 }
  }
  rig.start(new FaultyCalls(), { sendTransaction: (transaction) => (sent === 0 ? lost(transaction) : chain.server.sendTransaction(transaction)) })
  rig.trade(alice, bob, 10n, 20n)
  await until('the transaction is sent into nothing', () => sent === 1)
  const first = rig.status.flight?.hash
  const { submissions } = rig.actor.machine.work.flight ?? { submissions: [] }
  const maxTime = submissions[0]?.maxTime ?? 0
  await until('its time passes and another is made', async () => {
    const { closeTime } = await chainHead(chain.server)
    if (submissions.length > 1) t.ok(closeTime > maxTime, 'not before the time was over')
    else await chain.close()
    return submissions.length > 1
  })
  t.equal(submissions[0]?.dead, 'expired')
  t.equal(submissions[0]?.hash, first)
  const payer = ({ envelope }: Submission): string => (TransactionBuilder.fromXdr(envelope, vault.contract.passphrase) as Transaction).source
  t.not(payer(submissions[0] as Submission), payer(submissions[1] as Submission), 'another account pays for it')
  await until('the second one settles', async () => {
    await chain.close()
    await setTimeout(50)
    return rig.status.settled?.sequence === 1
  })
  t.equal(rig.reports.length, 2)
  t.not(rig.status.settled?.transaction, first)
  t.same(await Promise.all([vault.balance(alice, 0), vault.balance(bob, 1)]), [10n, 20n])
})

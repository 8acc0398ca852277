import { FeeBumpTransaction, Keypair, rpc, TransactionBuilder } from '@stellar/stellar-sdk'
import t from 'tap'
import { engineKeyPath } from '../../src/enclave/keys.ts'
import type { AccountId, Amount, MessageId } from '../../src/protocol/identity.ts'
import { ContractRefusal } from '../../src/settlement/contractRefusal.ts'
import { withdraw } from '../../src/settlement/deployment.ts'
import { engineKeys, Engines } from '../../src/settlement/engines.ts'
import { VaultGovernance } from '../../src/settlement/governance/vaultGovernance.ts'
import { execute } from '../../src/settlement/transaction.ts'
import { ManualClock } from '../runtime/world.ts'
import { DeployedVault } from './deployedVault.ts'
import { FaultyCalls, withCalls } from './faultyCalls.ts'
import { LocalChain, PASSPHRASE } from './localChain.ts'
import { SettlementRig } from './settlementRig.ts'
import { TestLog, until } from './waiting.ts'

// The engine's key is changed on chain while trades settle: the vault's own delayed change, on the real contract.

t.setTimeout(240_000)

type Tap = Pick<typeof t, 'equal' | 'same'>
const FUNDS = 1_000_000n

t.test('a new version of the engine’s key', async (t) => {
  const chain = await LocalChain.start('0.1', true)
  t.teardown(() => chain.end())
  const vault = await DeployedVault.deploy(chain)
  const seeds = new Map([1, 2, 3].map((version) => [engineKeyPath(version), version === 1 ? vault.engine.rawSecretKey() : Keypair.random().rawSecretKey()]))
  const secrets = { secret: async (path: string) => seeds.get(path)! }
  const [first, second] = [1, 2].map((version) => Keypair.fromRawEd25519Seed(Buffer.from(seeds.get(engineKeyPath(version))!)).publicKey())
  const [alice, bob] = await vault.counterparties(FUNDS)
  const rig = new SettlementRig(vault)
  t.teardown(() => rig.end())
  rig.register(alice, bob)
  const governance = new VaultGovernance({ server: chain.server, passphrase: PASSPHRASE }, vault.contract.id)
  /** As a process of that configuration does. */
  const configured = (version: number) => {
    const engines = new Engines({ vault: governance, channel: 0, keys: () => engineKeys(secrets, { keys: { engine: version } }), log: rig.log })
    rig.engine = (anew) => engines.inForce(anew)
  }

  const admin = vault.signer(vault.admin)
  const change = (engine: string) => ({ engine, channel: 0 })
  const announced = async (engine: string): Promise<void> => {
    await execute(admin, governance.announceChange(change(engine)))
  }
  const due = async (): Promise<void> => chain.jump(await governance.changeDelay_s())
  const applied = async (engine: string): Promise<void> => {
    await execute(admin, governance.applyChange(change(engine)))
  }

  let bought = 0n
  const trade = (): void => {
    bought += 10n
    rig.trade(alice, bob, 10n, 30n)
  }
  const balancesAreRight = async (t: Tap, batches: number): Promise<void> => {
    t.same(await Promise.all([vault.balance(alice, 0), vault.balance(alice, 1), vault.balance(bob, 0), vault.balance(bob, 1)]), [bought, FUNDS - 3n * bought, FUNDS - bought, 3n * bought])
    t.equal((await vault.contract.getChannel(chain.server, 0)).sequence, batches)
    const told = rig.reports.flatMap((report) => (report.kind === 'settled' && report.account === alice.account ? report.trades : []))
    t.equal(told.length, Number(bought / 10n))
    t.equal(new Set(told).size, told.length)
  }
  const engineOf = async (): Promise<string> => {
    const transaction = await chain.server.getTransaction(rig.status.settled!.transaction)
    if (transaction.status !== rpc.Api.GetTransactionStatus.SUCCESS) throw new Error(transaction.status)
    const made = TransactionBuilder.fromXdr(transaction.envelopeXdr.toXdr('base64'), PASSPHRASE)
    if (made instanceof FeeBumpTransaction) throw new Error('nothing outbids it here')
    return made.operations[0]!.source!
  }

  await t.test('is not used before it is in force', async (t) => {
    await chain.server.requestAirdrop(second!)
    configured(1)
    rig.start()
    trade()
    await rig.settled(1)
    await announced(second!)
    trade()
    await rig.settled(2)
    await due()
    trade()
    await rig.settled(3)
    t.equal(await engineOf(), first)
    await balancesAreRight(t, 3)
  })

  await t.test('is used from the ledger on in which it is: a transaction of the old one that comes too late fails, and the batch settles by the new one, once', async (t) => {
    rig.kill()
    let sent = 0
    configured(1)
    rig.start(new FaultyCalls(), {
      sendTransaction: async (transaction) => {
        // Signed by the old key, journaled, and not sent yet.
        if (sent++ === 0) await applied(second!)
        return chain.server.sendTransaction(transaction)
      },
    })
    trade()
    await rig.settled(4)
    t.equal(await engineOf(), second)
    t.ok(sent >= 2)
    t.ok(rig.log.count('transaction did not apply') >= 1)
    trade()
    await rig.settled(5)
    await balancesAreRight(t, 5)
  })

  await t.test('co-signs withdrawals, and what the old one had co-signed pays nothing any more', async (t) => {
    const ask = async (id: string): Promise<string> => {
      const before = rig.reports.length
      rig.actor.hear('vault.0', { kind: 'cosign', withdrawal: id as MessageId, account: alice.account, asset: vault.assets[0].contract, amount: 1n as Amount })
      await until('the engine answers', () => rig.reports.length > before)
      const report = rig.reports.at(-1)!
      if (report.kind !== 'cosigned') throw new Error(report.kind)
      return report.authorization
    }
    const take = (authorization: string) => withdraw(vault.signer(alice.key), vault.contract.id, vault.assets[0].contract, 1n, authorization)
    await take(await ask('w1'))
    const late = await ask('w2')
    await announced(first!)
    await due()
    await applied(first!)
    await t.rejects(take(late), ContractRefusal)
    await announced(second!)
    await due()
    await applied(second!)
    t.equal(await vault.balance(alice, 0), bought - 1n)
    await vault.deposit(alice, 0, 1n)
  })

  await t.test('goes on where the venue file names it, and killed before and after each call across a change back', async (t) => {
    let batch = 5
    for (const [n, when] of (['before', 'after'] as const).flatMap((when) => [1, 3, 5].map((n) => [n, when] as const))) {
      const next = (await governance.engine(0)) === first ? second! : first!
      await announced(next)
      await due()
      rig.kill()
      configured(2)
      const calls = new FaultyCalls(n, when)
      rig.start(calls)
      trade()
      batch++
      await until('the driver hangs or the batch settles', () => calls.hung !== null || rig.status.settled?.sequence === batch)
      rig.kill()
      await applied(next)
      configured(2)
      rig.start()
      await rig.settled(batch)
      // What the dead process still had on its way arrives now, with the other engine's signature.
      calls.release()
    }
    await balancesAreRight(t, batch)
  })

  await t.test('a vault that obeys none of them is told of, and settles when it does again', async (t) => {
    const log = new TestLog()
    const stranger = Keypair.random().publicKey() as AccountId
    const clock = new ManualClock(1_000_000)
    let asked = 0
    const server = withCalls(chain.server, { simulateTransaction: (...call) => (asked++, chain.server.simulateTransaction(...call)) })
    const engines = new Engines({ vault: new VaultGovernance({ server, passphrase: PASSPHRASE }, vault.contract.id), channel: 0, keys: () => engineKeys(secrets, { keys: { engine: 2 } }), log, clock })
    const obeyed = await governance.engine(0)
    for (let n = 0; n < 2; n++) t.equal((await engines.inForce()).publicKey(), obeyed)
    t.equal(asked, 1, 'once a ledger, whatever is made in it')
    await clock.pass(5_000)
    await engines.inForce()
    t.equal(asked, 2)
    await announced(stranger)
    await due()
    await applied(stranger)
    t.equal((await engines.inForce(true)).publicKey(), second, 'the one that the venue file names: the vault refuses it, and that is told as a refusal')
    t.equal(asked, 3, 'what did not apply has it asked at once')
    await engines.inForce(true)
    t.same(log.lines.map(({ level, message }) => [level, message]), [['info', 'the vault obeys this version of the engine’s key'], ['warn', 'the vault obeys none of the engine’s keys that this process has']])
  })
})

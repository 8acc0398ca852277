import { Keypair } from '@stellar/stellar-sdk'
import t from 'tap'
import type { AccountId, Amount, MessageId } from '../../src/protocol/identity.ts'
import { DEFAULT_CHANNEL } from '../../src/protocol/subjects.ts'
import { takesBatch } from '../../src/settlement/batchTransaction.ts'
import { Engines } from '../../src/settlement/engines.ts'
import { engineStep } from '../../src/settlement/governance/changing.ts'
import { perform } from '../../src/settlement/governance/step.ts'
import { VaultGovernance } from '../../src/settlement/governance/vaultGovernance.ts'
import { DeployedVault } from './deployedVault.ts'
import { LocalChain } from './localChain.ts'
import { SettlementRig } from './settlementRig.ts'
import { until } from './waiting.ts'

// Two settlement actors on one vault contract, each on a channel of its own with a key of its own, on a real network.

t.setTimeout(280_000)

const chain = await LocalChain.start('0.3')
t.teardown(() => chain.end())
const vault = await DeployedVault.deploy(chain)
const other = Keypair.random()
await chain.server.requestAirdrop(other.publicKey())
const governance = new VaultGovernance(vault.signer(vault.admin), vault.contract.id)
await perform(vault.signer(vault.admin), await engineStep(governance, 1, other.publicKey() as AccountId))
const [alice, bob, carol, dave] = [await vault.trader(), await vault.trader(), await vault.trader(), await vault.trader()]
await Promise.all([alice, carol].map((trader) => vault.deposit(trader, 0, 100_000n)))
await Promise.all([bob, dave].map((trader) => vault.deposit(trader, 1, 100_000n)))

const [first, second] = [new SettlementRig(vault), new SettlementRig(vault, 20, 1)]
second.engine = () => Promise.resolve(other)
for (const rig of [first, second]) rig.register(alice, bob, carol, dave)
t.teardown(() => Promise.all([first.end(), second.end()]))
const onChain = (channel: number) => vault.contract.getChannel(chain.server, channel)
const rootOf = (rig: SettlementRig): Buffer => Buffer.from(rig.actor.machine.standing.stateRoot)

t.test('they settle in parallel, in one page of balances, each with its own cursor', async (t) => {
  first.start()
  second.start()
  const [rounds, extra] = [6, 3]
  for (let round = 1; round <= rounds; round++) {
    first.trade(bob, alice, 100n, 700n)
    second.trade(dave, carol, 10n, 30n)
    await Promise.all([first.settled(round), second.settled(round)])
  }
  // One that is quiet does not hold the other.
  for (let round = rounds + 1; round <= rounds + extra; round++) {
    second.trade(dave, carol, 10n, 30n)
    await second.settled(round)
  }
  for (const [rig, channel, sequence] of [[first, 0, rounds], [second, 1, rounds + extra]] as const) {
    const { sequence: reached, stateRoot } = await onChain(channel)
    t.equal(reached, sequence)
    t.ok(Buffer.from(stateRoot).equals(rootOf(rig)), 'its own history')
    t.match(rig.status, { channel, alarms: [], refusals: 0 })
  }
  t.same(await Promise.all([alice, bob, carol, dave].map(async (trader) => [await vault.balance(trader, 0), await vault.balance(trader, 1)])), [
    [99_400n, 4_200n],
    [600n, 95_800n],
    [99_910n, 270n],
    [90n, 99_730n],
  ])
})

t.test('the engine of one channel settles nothing on another, and holds nobody there up', async (t) => {
  const before = await onChain(1)
  // The key of channel 0 with the whole history of channel 1: all but the right to it.
  second.engine = () => Promise.resolve(vault.engine)
  // Paid by another account: two that make transactions of one take each other's sequence numbers.
  second.sources = [other]
  second.kill()
  second.start()
  second.trade(dave, carol, 10n, 30n)
  await until('it has tried', () => (second.status.flight?.attempts ?? 0) >= 2 || second.status.refusals >= 2)
  for (let round = 7; round <= 8; round++) {
    first.trade(bob, alice, 100n, 700n)
    await first.settled(round)
  }
  const { sequence, stateRoot } = await onChain(1)
  t.same([sequence, Buffer.from(stateRoot)], [before.sequence, Buffer.from(before.stateRoot)])
  t.equal(first.status.refusals, 0)
  // With its own key it goes on where it stood.
  second.engine = () => Promise.resolve(other)
  second.kill()
  second.start()
  await second.settled(10)
  t.equal((await onChain(0)).sequence, 8)
})

t.test('each owner of a settlement actor settles in a term of its own, and the chain takes nothing more of the one before it', async (t) => {
  const before = (await onChain(0)).epoch
  t.equal(before, first.actor.epoch, 'its first owner’s')
  first.kill()
  first.kill()
  first.start()
  first.trade(bob, alice, 100n, 700n)
  await first.settled(9)
  t.equal((await onChain(0)).epoch, before + 2)
  t.equal((await onChain(1)).epoch, 2, 'a batch keeps the term in which it was formed, whoever sends it')
  t.equal(first.status.epoch, before + 2)
  // The very next batch, as an owner of before would have made it.
  first.kill()
  first.trade(bob, alice, 100n, 700n)
  await until('a batch is formed', () => first.actor.machine.work.flight !== null)
  const { batch } = first.actor.machine.work.flight!
  const takes = (changed: Partial<typeof batch>) => takesBatch({ server: chain.server, vault: vault.contract, engine: vault.engine, batch: { ...batch, ...changed } })
  t.equal(await takes({ epoch: before }), false)
  t.equal(await takes({ channel: 1 }), false)
  t.equal(await takes({}), true)
})

t.test('the engine of the default channel alone co-signs: where that is another’s, a withdrawal is refused and its funds are free again', async (t) => {
  const ask = (rig: SettlementRig, withdrawal: string): void => rig.actor.hear('vault.0', { kind: 'cosign', withdrawal: withdrawal as MessageId, account: alice.account, asset: vault.token, amount: 5n as Amount })
  const answerOf = (rig: SettlementRig, withdrawal: string) => rig.reports.find((report) => 'withdrawal' in report && report.withdrawal === withdrawal)
  const engines = (key: Keypair) => new Engines({ vault: governance, channel: DEFAULT_CHANNEL, keys: () => Promise.resolve([{ version: 1, key }]), log: second.log })
  const [owner, stranger] = [engines(vault.engine), engines(other)]
  first.cosigning = () => owner.obeyed()
  second.cosigning = () => stranger.obeyed()
  for (const rig of [first, second]) {
    rig.kill()
    rig.start()
    ask(rig, 'w')
    await until('it is answered', () => answerOf(rig, 'w') !== undefined)
  }
  t.match(answerOf(first, 'w'), { kind: 'cosigned' })
  t.match(answerOf(second, 'w'), { kind: 'cosignRefused' })
})

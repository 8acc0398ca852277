import { Keypair, Operation } from '@stellar/stellar-sdk'
import t from 'tap'
import type { AccountId, Amount, ContractId, MessageId } from '../../src/protocol/identity.ts'
import { ContractRefusal } from '../../src/settlement/contractRefusal.ts'
import { authorizeWithdrawal, COSIGN_LEDGERS } from '../../src/settlement/cosigner.ts'
import { withdraw } from '../../src/settlement/deployment.ts'
import { chainHead } from '../../src/settlement/stellarRpc.ts'
import { execute, TransactionFailed } from '../../src/settlement/transaction.ts'
import { DeployedVault } from './deployedVault.ts'
import { FaultyCalls } from './faultyCalls.ts'
import { LocalChain } from './localChain.ts'
import { SettlementRig } from './settlementRig.ts'
import { until } from './waiting.ts'

t.setTimeout(240_000)

t.test('co-signed withdrawals on a real chain', async (t) => {
  const chain = await LocalChain.start('0.1')
  t.teardown(() => chain.end())
  const vault = await DeployedVault.deploy(chain)
  const alice = await vault.trader()
  await vault.deposit(alice, 1, 1_000n)
  const rig = new SettlementRig(vault)
  t.teardown(() => rig.end())
  const ask = (withdrawal: string, amount: bigint, account = alice.account, asset: ContractId = vault.token): void =>
    rig.actor.hear('vault.0', { kind: 'cosign', withdrawal: withdrawal as MessageId, account, asset, amount: amount as Amount })
  const answered = (count: number): Promise<void> => until('the engine answers', () => rig.reports.length === count)
  const take = (authorization: string, amount: bigint) => withdraw(vault.signer(alice.key), vault.contract.id, vault.token, amount, authorization)

  await t.test('the user’s transaction with the engine’s entry pays out, once', async (t) => {
    rig.start()
    ask('w1', 300n)
    await answered(1)
    const report = rig.reports[0]
    if (report?.kind !== 'cosigned') throw new Error('not co-signed')
    const { ledger } = await chainHead(chain.server)
    t.ok(report.validUntil > ledger && report.validUntil <= ledger + COSIGN_LEDGERS)
    await t.rejects(take(report.authorization, 301n), ContractRefusal, 'another amount')
    await take(report.authorization, 300n)
    t.equal(await vault.balance(alice, 1), 700n)
    await t.rejects(take(report.authorization, 300n), ContractRefusal, 'the nonce is spent')
    ask('w1', 300n)
    await answered(2)
    t.same(rig.reports[1], report, 'asked again, the same authorisation is given')
    t.equal(await vault.balance(alice, 1), 700n)
  })

  await t.test('without the engine’s entry, or with a stranger’s, nothing is paid', async (t) => {
    const { ledger } = await chainHead(chain.server)
    const request = { account: alice.account, asset: vault.token, amount: 5n as Amount }
    const stranger = await authorizeWithdrawal(vault.contract, Keypair.random(), request, ledger + 50)
    await t.rejects(take(stranger, 5n), ContractRefusal)
    // A simulation records what would be needed; the ledger enforces what is there.
    await t.rejects(execute(vault.signer(alice.key), vault.contract.withdraw(alice.account, vault.token, 5n)), TransactionFailed)
    const elsewhere = await authorizeWithdrawal(vault.contract, vault.engine, { ...request, account: vault.admin.publicKey() as AccountId }, ledger + 50)
    await t.rejects(take(elsewhere, 5n), ContractRefusal)
    t.equal(await vault.balance(alice, 1), 700n)
  })

  await t.test('what the chain would refuse is refused, and the reason names no amount', async (t) => {
    ask('w2', 701n)
    await answered(3)
    t.same(rig.reports[2], { kind: 'cosignRefused', withdrawal: 'w2', account: alice.account })
    const bob = await vault.trader()
    await vault.deposit(bob, 1, 1_000_000n)
    // Without its trustline a G account cannot be paid the asset.
    await execute(vault.signer(bob.key), Operation.payment({ asset: vault.usd, destination: vault.issuer.publicKey(), amount: '999999.9' }))
    await execute(vault.signer(bob.key), Operation.changeTrust({ asset: vault.usd, limit: '0' }))
    ask('w3', 10n, bob.account)
    await answered(4)
    t.equal(rig.reports[3]?.kind, 'cosignRefused')
    t.notMatch(JSON.stringify(rig.log.lines), /701/)
  })

  await t.test('killed before and after each call, it gives one authorisation', async (t) => {
    rig.kill()
    let asked = 4
    for (const when of ['before', 'after'] as const) {
      for (let n = 1; n <= 2; n++) {
        // The batch submitter has nothing to do and makes no calls: these are the co-signer's.
        const calls = new FaultyCalls(n, when)
        rig.start(calls)
        ask(`k${++asked}`, 1n)
        await until('the driver hangs', () => calls.hung !== null)
        rig.kill()
        rig.start()
        await answered(asked)
        calls.release()
        rig.kill()
      }
    }
    const withdrawals = rig.reports.slice(4).map((report) => (report.kind === 'cosigned' ? report.withdrawal : report.kind))
    t.same(withdrawals, ['k5', 'k6', 'k7', 'k8'])
  })
})

t.test('an authorisation holds up to and including its last ledger', async (t) => {
  const chain = await LocalChain.start('manual')
  t.teardown(() => chain.end())
  const closing = setInterval(() => void chain.close(), 50)
  const vault = await DeployedVault.deploy(chain)
  const alice = await vault.trader()
  await vault.deposit(alice, 1, 1_000n)
  clearInterval(closing)
  const request = { account: alice.account, asset: vault.token, amount: 10n as Amount }
  const take = (authorization: string) => withdraw(vault.signer(alice.key), vault.contract.id, vault.token, 10n, authorization)
  await chain.close(2)

  const { ledger } = await chainHead(chain.server)
  const [last, passed] = [await authorizeWithdrawal(vault.contract, vault.engine, request, ledger + 1), await authorizeWithdrawal(vault.contract, vault.engine, request, ledger)]
  await t.rejects(take(passed), ContractRefusal)
  // The next ledger is the last one that takes it, so it closes only once the transaction has been sent.
  const send = chain.server.sendTransaction.bind(chain.server)
  chain.server.sendTransaction = async (transaction) => {
    const answer = await send(transaction)
    await chain.close()
    return answer
  }
  t.equal((await take(last)).ledger, ledger + 1)
  t.equal(await vault.balance(alice, 1), 990n)
})

import { setTimeout } from 'node:timers/promises'
import { FeeBumpTransaction, Keypair, rpc } from '@stellar/stellar-sdk'
import fc from 'fast-check'
import t from 'tap'
import { higherBid } from '../../src/settlement/feeBump.ts'
import type { StellarRpc } from '../../src/settlement/stellarRpc.ts'
import { DeployedVault } from './deployedVault.ts'
import { FaultyCalls } from './faultyCalls.ts'
import { LocalChain } from './localChain.ts'
import { SettlementRig } from './settlementRig.ts'
import { until } from './waiting.ts'

t.setTimeout(240_000)

t.test('a bid is raised only where others bid more, by enough to take the place of the one before, and never above the cap', async () => {
  const stroops = fc.bigInt({ min: 100n, max: 1_000_000n })
  fc.assert(
    fc.property(stroops, stroops, stroops, (bid, surge, most) => {
      const higher = higherBid(bid, surge, most)
      if (higher === null) return surge <= bid || 2n * 10n * bid > most - (most % 2n)
      return surge > bid && higher >= 10n * bid && 2n * higher <= most
    }),
  )
})

t.test('a transaction that waits while others bid more is sent again within a fee bump, applies once, and is found by its own hash', async (t) => {
  const chain = await LocalChain.start('manual')
  t.teardown(() => chain.end())
  const closing = setInterval(() => void chain.close(), 50)
  const vault = await DeployedVault.deploy(chain)
  const [alice, bob] = await vault.counterparties(100n)
  const [first, second] = [Keypair.random(), Keypair.random()]
  for (const key of [first, second]) await chain.server.requestAirdrop(key.publicKey())
  clearInterval(closing)
  await setTimeout(200)

  const rig = new SettlementRig(vault)
  rig.sources = [first, second]
  t.teardown(() => rig.end())
  rig.register(alice, bob)
  const bumps: FeeBumpTransaction[] = []
  const sent: string[] = []
  let surge = '100'
  const server = chain.server
  rig.start(new FaultyCalls(), {
    getFeeStats: async () => {
      const stats = await server.getFeeStats()
      return { ...stats, sorobanInclusionFee: { ...stats.sorobanInclusionFee, p80: surge } }
    },
    // What bids too little finds no place: the validators keep it and do not include it.
    sendTransaction: async (transaction) => {
      if (transaction instanceof FeeBumpTransaction) {
        bumps.push(transaction)
        return server.sendTransaction(transaction)
      }
      sent.push(transaction.source)
      return { status: 'PENDING', hash: Buffer.from(transaction.hash()).toString('hex'), latestLedger: 1, latestLedgerCloseTime: 1 }
    },
  } satisfies Partial<StellarRpc>)
  const balance = async (key: Keypair): Promise<bigint> => (await server.getAccountEntry(key.publicKey())).balance
  const had = new Map(await Promise.all([first, second].map(async (key) => [key.publicKey(), await balance(key)] as const)))
  rig.trade(alice, bob, 10n, 20n)
  await until('it is sent', () => sent.length > 0)
  for (let n = 0; n < 5; n++) await chain.close()
  await setTimeout(300)
  t.equal(bumps.length, 0, 'nobody bids more')
  surge = '450'
  await until('it settles', async () => {
    await chain.close()
    await setTimeout(60)
    return rig.status.settled?.sequence === 1
  })
  const hash = rig.status.settled?.transaction ?? ''
  t.ok(bumps.length >= 1)
  t.ok(bumps.every((bump) => Buffer.from(bump.innerTransaction.hash()).toString('hex') === hash))
  t.equal((await server.getTransaction(hash)).status, rpc.Api.GetTransactionStatus.SUCCESS)
  const [payer] = bumps.map(({ feeSource }) => feeSource)
  t.not(payer, sent[0], 'another account pays for it')
  t.ok((await balance(payer === first.publicKey() ? first : second)) < (had.get(payer ?? '') ?? 0n))
  t.equal(await balance(sent[0] === first.publicKey() ? first : second), had.get(sent[0] ?? ''))
  t.same(await Promise.all([vault.balance(alice, 0), vault.balance(bob, 1)]), [10n, 20n])
  t.equal(rig.log.lines.filter(({ level }) => level !== 'info').length, 0)
})

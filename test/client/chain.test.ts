import t from 'tap'
import { registeredEngine, VaultOnChain } from '../../src/client/chain.ts'
import { SecretSigner } from '../../src/client/secretSigner.ts'
import { authorizeWithdrawal } from '../../src/settlement/cosigner.ts'
import type { Amount } from '../../src/protocol/identity.ts'
import { DeployedVault } from '../settlement/deployedVault.ts'
import { LocalChain, PASSPHRASE } from '../settlement/localChain.ts'

const chain = await LocalChain.start('0.2')
t.teardown(() => chain.end())
const vault = await DeployedVault.deploy(chain)
const trader = await vault.trader()
const own = new VaultOnChain(chain.url, PASSPHRASE, vault.contract.id, new SecretSigner(trader.key.secret()))
const { contract: token } = vault.assets[1]

t.test('money in and out by the trader’s own transactions', async (t) => {
  const deposited = await own.deposit(token, 5_000n)
  t.match(deposited, { transaction: /^[0-9a-f]{64}$/, ledger: Number })
  t.equal(await own.balance(token), 5_000n)

  const { sequence } = await chain.server.getLatestLedger()
  const withdrawal = { account: trader.account, asset: token, amount: 2_000n as Amount }
  const authorization = await authorizeWithdrawal(vault.contract, vault.engine, withdrawal, sequence + 100)
  await t.rejects(own.withdraw(token, 2_001n, authorization), { name: 'ChainRefused' }, 'the authorisation is for its amount only')
  t.match(await own.withdraw(token, 2_000n, authorization), { transaction: /^[0-9a-f]{64}$/ })
  t.equal(await own.balance(token), 3_000n)
  await t.rejects(own.withdraw(token, 2_000n, authorization), { name: 'ChainRefused' }, 'and counts once')
  t.equal(await own.balance(token), 3_000n)
})

t.test('the way out without the engine, announced on chain and open after its delay', async (t) => {
  t.equal(await own.exit(token), null)
  await t.rejects(own.cancelRequest(token), { name: 'ChainRefused', code: 'contract error 101' })
  await own.requestWithdrawal(token, 1_200n)
  const exit = await own.exit(token)
  t.equal(exit?.amount, 1_200n)
  t.ok(exit !== null && exit.due > 1_700_000_000, 'due in Unix seconds')
  await t.rejects(own.claimWithdrawal(token), { name: 'ChainRefused', code: 'contract error 102' }, 'not before it is due')
  await own.cancelRequest(token)
  t.equal(await own.exit(token), null)
  t.equal(await own.balance(token), 3_000n)
})

t.test('first deposits in one ledger, which want the same account index, all get through', async (t) => {
  const traders = [await vault.trader(), await vault.trader(), await vault.trader()]
  const newcomers = traders.map(({ key }) => new VaultOnChain(chain.url, PASSPHRASE, vault.contract.id, new SecretSigner(key.secret())))
  await Promise.all(newcomers.map((newcomer) => newcomer.deposit(token, 700n)))
  for (const newcomer of newcomers) t.equal(await newcomer.balance(token), 700n)
})

t.test('the contract’s refusal by its number, without the call’s arguments', async (t) => {
  await t.rejects(own.deposit(token, 0n), { name: 'ChainRefused', code: 'contract error 22' })
  await t.rejects(own.deposit(vault.contract.id, 1n), { name: 'ChainRefused', code: 'contract error 5' })
})

t.test('the key that the vault obeys, for whoever asks', async (t) => {
  t.equal(await registeredEngine(chain.url, PASSPHRASE, vault.contract.id, 0), vault.engine.publicKey())
  t.equal(await registeredEngine(chain.url, PASSPHRASE, vault.contract.id, 7), null, 'none for a channel that has none')
  await t.rejects(registeredEngine(chain.url, PASSPHRASE, token, 0), { name: 'ChainRefused' })
  await t.rejects(registeredEngine('http://rpc.example', PASSPHRASE, vault.contract.id, 0), /must be reached by https/)
})

t.test('a chain elsewhere must be reached with TLS', async (t) => {
  t.throws(() => new VaultOnChain('http://rpc.example', PASSPHRASE, vault.contract.id, new SecretSigner(trader.key.secret())), /must be reached by https/)
})

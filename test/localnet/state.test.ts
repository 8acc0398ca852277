// What is acknowledged is kept: through an orderly end, through a crash, and never over somebody
// else's state.

import t from 'tap'
import { Asset, Operation, rpc } from '@stellar/stellar-sdk'
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runLocalnet, startLocalnet } from './process.ts'
import { Wallet } from './wallet.ts'

const pay = (to: Wallet): ReturnType<typeof Operation.payment> =>
  Operation.payment({ destination: to.address, asset: Asset.native(), amount: '1' })

await t.test('a restart continues', async t => {
  const state = t.testdir()
  const first = await startLocalnet({ state, ledgerTime: 0.1 })
  const [alice, bob] = [new Wallet(first), new Wallet(first)]
  await Promise.all([alice.fund(), bob.fund()])
  const paid = await alice.do(pay(bob))
  t.equal(await first.stop(), 0)

  const second = await startLocalnet({ state, ledgerTime: 0.1 })
  const server = new rpc.Server(second.url, { allowHttp: true })
  const found = await server.getTransaction(paid.txHash)
  t.match(found, { status: 'SUCCESS', ledger: paid.ledger })
  t.equal((await server.getHealth()).oldestLedger, 1)
  t.equal((await server.getAccountEntry(bob.address)).balance, 100_010_000_000n)

  // The accounts go on where they were, on the other network process.
  const again = await new Wallet(second, alice.keys).do(pay(bob))
  t.equal(again.status, 'SUCCESS')
  await second.kill()
  const third = await startLocalnet({ state, ledgerTime: 0.1 })
  const latest = await new rpc.Server(third.url, { allowHttp: true }).getLatestLedger()
  t.ok(latest.sequence >= again.ledger)
  t.equal(await third.stop(), 0)
})

await t.test('a crash after the acknowledgement', async t => {
  const state = t.testdir()
  const hashes: string[] = []
  for (let round = 0; round < 3; round++) {
    const net = await startLocalnet({ state, ledgerTime: 0.05 })
    const server = new rpc.Server(net.url, { allowHttp: true })
    for (const hash of hashes) t.equal((await server.getTransaction(hash)).status, 'SUCCESS')
    const [alice, bob] = [new Wallet(net), new Wallet(net)]
    await Promise.all([alice.fund(), bob.fund()])
    hashes.push((await alice.do(pay(bob))).txHash)
    await net.kill()
  }
})

await t.test('state that cannot be used is refused and left alone', async t => {
  const state = t.testdir()
  const net = await startLocalnet({ state, ledgerTime: 'manual' })
  await new Wallet(net).fund()
  await net.close()
  const busy = await runLocalnet(['--port', '0', '--state', state, '--passphrase', net.passphrase])
  t.equal(busy.code, 1)
  t.match(busy.stderr, /in use by another localnet/)
  await net.stop()

  const run = async (passphrase = net.passphrase): Promise<string> => {
    const ended = await runLocalnet(['--port', '0', '--state', state, '--passphrase', passphrase])
    t.equal(ended.code, 1)
    t.equal(ended.stderr.trim().split('\n').length, 1, 'one sentence')
    return ended.stderr
  }
  t.match(await run('another network'), /belongs to another network/)

  const files = await readdir(state)
  for (const [suffix, at] of [['.snapshot', 500], ['.log', 80]] as const) {
    const path = join(state, files.find(name => name.endsWith(suffix)) ?? '')
    const whole = await readFile(path)
    const flipped = Buffer.from(whole)
    flipped[at] = (flipped[at] ?? 0) ^ 1
    await writeFile(path, flipped)
    t.match(await run(), /is damaged/)
    t.same(await readFile(path), flipped, 'nothing was repaired')
    await writeFile(path, whole)
  }

  // An end that was cut off is a ledger that nobody had heard of: it is left out.
  const log = join(state, files.find(name => name.endsWith('.log')) ?? '')
  await truncate(log, (await readFile(log)).length - 3)
  const after = await startLocalnet({ state, ledgerTime: 'manual', passphrase: net.passphrase })
  t.equal((await new rpc.Server(after.url, { allowHttp: true }).getLatestLedger()).sequence, 2)
  t.equal(await after.close(), 3)
  t.equal(await after.stop(), 0)
})

await t.test('ledgers by hand', async t => {
  const net = await startLocalnet({ ledgerTime: 'manual' })
  const server = new rpc.Server(net.url, { allowHttp: true })
  const [alice, bob] = [await new Wallet(net).fund(), await new Wallet(net).fund()]
  const before = (await server.getLatestLedger()).sequence
  const draft = await alice.build(pay(bob))
  draft.sign(alice.keys)
  const sent = await server.sendTransaction(draft)
  t.equal(sent.status, 'PENDING')
  t.equal((await server.sendTransaction(draft)).status, 'DUPLICATE')
  const other = await alice.build(pay(bob), pay(bob))
  other.sign(alice.keys)
  t.equal((await server.sendTransaction(other)).status, 'TRY_AGAIN_LATER')
  t.equal((await server.getTransaction(sent.hash)).status, 'NOT_FOUND')
  t.equal(await net.close(), before + 1)
  t.equal((await server.getTransaction(sent.hash)).status, 'SUCCESS')
  t.equal(await net.stop(), 0)
})

await t.test('the command line', async t => {
  for (const args of [['--port', 'x'], ['--ledger-time', '0'], ['--nonsense'], ['--state']]) {
    const { code, stderr } = await runLocalnet(args)
    t.equal(code, 2, args.join(' '))
    t.equal(stderr.trim().split('\n').length, 1)
  }
  t.equal((await runLocalnet(['--help'])).code, 0)
  const net = await startLocalnet()
  const port = new URL(net.url).port
  const busy = await runLocalnet(['--port', port, '--state', t.testdir()])
  t.equal(busy.code, 1)
  t.match(busy.stderr, new RegExp(`^Port ${port} cannot be used`))
  t.equal(await net.stop(), 0)
})

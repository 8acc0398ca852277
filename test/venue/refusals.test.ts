import { readFileSync } from 'node:fs'
import t from 'tap'
import { SecretSigner } from '../../src/client/secretSigner.ts'
import { signRequest } from '../../src/client/messages.ts'
import type { SignedRequest } from '../../src/client/messages.ts'
import type { OrderMessage } from '../../src/protocol/messages/order.ts'
import { refusal, VenueUnderTest } from './venueUnderTest.ts'

const XLM = 'XLM-USDC'
const EURC = 'EURC-USDC'
const PRICE = '0.4813'
// No second of a minute is 97: a time of the log cannot look like it.
const QUANTITY = '97.3'
const ORDER = { side: 'buy', type: 'limit', price: PRICE, quantity: QUANTITY, timeInForce: 'GTC' } as const

t.setTimeout(600_000)
const under = await VenueUnderTest.start(2)
const books = await under.books('alice', 'mallory')
t.teardown(async () => {
  await books.close()
  await under.stop()
})
const alice = books.client('alice')
const mallory = books.client('mallory')
const now = (): number => Math.floor(Date.now() / 1_000)

/** An order of alice with some members changed before it is signed. */
async function signedWith(changes: Partial<Record<string, string>>): Promise<SignedRequest> {
  const { message } = await alice.signOrder(XLM, ORDER)
  return signRequest({ ...message, ...changes } as OrderMessage, alice.signer)
}

t.test('a signature by somebody else', async (t) => {
  const { message } = await alice.signOrder(XLM, ORDER)
  const forged = await signRequest(message as OrderMessage, new SecretSigner(books.trader('mallory').key.secret()))
  t.equal(await refusal(alice.sendOrder({ message: forged.message, signature: forged.signature })), 'signature_invalid', 'in the name of the account')
  t.equal(forged.signer, books.trader('mallory').account)
  t.equal(await refusal(alice.sendOrder(forged)), 'signer_not_allowed', 'in its own name, for an account that is not its own')
  await books.check(t)
})

t.test('a changed byte', async (t) => {
  const request = await alice.signOrder(XLM, ORDER)
  for (const [name, value] of Object.entries({ price: '0.4812', quantity: '17.4', side: 'sell', nonce: 'another', account: mallory.binding.account, timeInForce: 'IOC' })) {
    t.equal(await refusal(alice.sendOrder({ ...request, message: { ...request.message, [name]: value } })), 'signature_invalid', name)
  }
  const bytes = Buffer.from(request.signature, 'base64')
  for (const at of [0, 31, 32, 63]) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 1
    t.equal(await refusal(alice.sendOrder({ ...request, signature: changed.toString('base64') })), 'signature_invalid', `byte ${at} of the signature`)
  }
  await books.check(t)
})

t.test('an order replayed gets the same answer and is no second order', async (t) => {
  const request = await alice.signOrder(XLM, ORDER)
  const first = await alice.sendOrder(request)
  const again = await Promise.all(Array.from({ length: 8 }, () => alice.sendOrder(request)))
  // The pair actor gave the first answer, the vault actor the others.
  for (const answer of again) t.same(answer, first)
  t.equal((await alice.orders({ status: 'open' })).length, 1)
  books.reserves('alice', 'USDC', '46.83049')
  await books.check(t)
  await alice.cancelOrder(first.id)
  t.match(await alice.sendOrder(request), { id: first.id, status: 'cancelled', filledQuantity: '0' }, 'not even after it was cancelled')
  books.reserves('alice', 'USDC', '0')
  await books.check(t)
})

t.test('an expired order, and one that would live too long', async (t) => {
  t.equal(await refusal(alice.placeOrder(XLM, ORDER, { expires: now() - 1 })), 'message_expired')
  t.equal(await refusal(alice.placeOrder(XLM, ORDER, { expires: now() + 700_000 })), 'expiry_too_far')
  await books.check(t)
})

t.test('an order expires where it rests', async (t) => {
  const order = await alice.placeOrder(XLM, ORDER, { expires: now() + 2 })
  t.equal(order.status, 'open')
  const expired = await books.feed('alice').next('order', (message) => message.order.id === order.id && message.order.status === 'expired')
  t.match(expired.order, { status: 'expired', reason: 'expired', filledQuantity: '0' })
  await books.check(t)
})

t.test('bound to another network, vault or market', async (t) => {
  t.equal(await refusal(alice.sendOrder(await signedWith({ network: 'Public Global Stellar Network ; September 2015' }))), 'network_mismatch')
  t.equal(await refusal(alice.sendOrder(await signedWith({ vault: alice.asset('USDC').contract }))), 'vault_mismatch')
  t.equal(await refusal(alice.sendOrder(await signedWith({ market: 'XLM-EURC' }))), 'market_unknown')
  t.equal(await refusal(alice.sendOrder(await signedWith({ market: EURC }))), 'asset_mismatch', 'the assets of one market, the name of another')
  t.equal(await refusal(alice.sendOrder(await signedWith({ base: alice.asset('EURC').contract }))), 'asset_mismatch')
  await books.check(t)
})

t.test('a cancel by somebody else', async (t) => {
  const order = await alice.placeOrder(XLM, ORDER)
  books.reserves('alice', 'USDC', '46.83049')
  const unknown = '0'.repeat(64)
  t.equal(await refusal(mallory.cancelOrder(order.id)), 'order_unknown')
  t.equal(await refusal(mallory.cancelOrder(unknown)), 'order_unknown', 'just like an order that does not exist')
  t.equal(await refusal(mallory.order(order.id)), 'order_unknown')
  t.equal(await refusal(mallory.order(unknown)), 'order_unknown')
  const cancel = await mallory.signCancel(order.id)
  const inHerName = { ...cancel, message: { ...cancel.message, account: alice.binding.account } }
  t.equal(await refusal(mallory.sendCancel(inHerName)), 'signature_invalid', 'in her name')
  t.equal(await refusal(mallory.sendCancel({ ...inHerName, signer: mallory.signer.address })), 'signature_invalid', 'in her name, saying who signed')
  t.same(await mallory.orderbook(XLM), { market: XLM, bids: [], asks: [], complete: true }, 'the book shows nothing of others')
  t.match(await alice.order(order.id), { status: 'open' })
  await books.check(t)
  await books.cancelAll()
  await books.check(t)
})

t.test('more than there is, in shapes that are not', async (t) => {
  t.equal(await refusal(alice.placeOrder(XLM, { ...ORDER, quantity: '10000' })), 'funds_insufficient')
  t.equal(await refusal(alice.placeOrder(XLM, { ...ORDER, price: '0.48135' })), 'price_off_tick')
  t.equal(await refusal(alice.placeOrder(XLM, { ...ORDER, quantity: '17.35' })), 'quantity_off_lot')
  t.equal(await refusal(alice.placeOrder(XLM, { ...ORDER, price: '0.480' })), 'message_malformed')
  t.equal(await refusal(alice.placeOrder(XLM, { ...ORDER, quantity: '-1' })), 'message_malformed')
  await books.check(t)
})

t.test('nothing private is logged', async (t) => {
  const order = await alice.placeOrder(XLM, ORDER)
  await alice.cancelOrder(order.id)
  const seeds = ['alice', 'mallory'].map((role) => books.trader(role))
  const secrets: Record<string, string> = {
    'a price': PRICE,
    'a quantity': QUANTITY,
    'an amount reserved': '46.83049',
    "a trader's account": alice.binding.account,
    "the other trader's account": mallory.binding.account,
    ...Object.fromEntries(seeds.map(({ name, key }) => [`the key of ${name}`, key.secret()])),
  }
  for (const server of [under.venue.gateway, under.venue.shard, under.venue.nats]) {
    const log = readFileSync(server.plan.log, 'utf8')
    t.ok(log.length > 0, `${server.plan.name} writes a log`)
    for (const [what, text] of Object.entries(secrets)) t.notOk(log.includes(text), `${server.plan.name} does not log ${what}`)
  }
})

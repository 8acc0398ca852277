import { StrKey } from '@stellar/stellar-sdk/base'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { orderMessage, signRequest } from '../../src/client/messages.ts'
import type { NewOrder, SignedRequest } from '../../src/client/messages.ts'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { Amount, Lots, Milliseconds } from '../../src/protocol/identity.ts'
import { messageId } from '../../src/protocol/messages/messageId.ts'
import { vaultOf } from '../../src/protocol/subjects.ts'
import type { OrderState, PlaceOrder } from '../../src/protocol/vault.ts'
import { call, refused } from './call.ts'
import { resting } from './fakeVault.ts'
import { contractOf, openStage, trader } from './stage.ts'

const stage = await openStage()
t.teardown(() => stage.close())
const alice = trader('alice')
const bob = trader('bob')
const client = await Client.open(stage.url, alice)
const market = { name: 'XLM-USDC', base: contractOf('XLM'), quote: contractOf('USDC') }
const limit: NewOrder = { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' }
const soon = (): number => Math.floor(Date.now() / 1000) + 600

/** A signed order that differs from a good one in some members. */
const signed = async (change: Partial<Record<string, string>>, order: NewOrder = limit, signer = alice): Promise<SignedRequest> => {
  const message = orderMessage(client.binding, market, order, { expires: soon() })
  return signRequest({ ...message, ...change }, signer)
}
const place = (body: unknown) => call(stage.url, 'POST', '/api/v1/orders', body)

t.beforeEach(() => {
  stage.vault.packets.length = 0
  stage.vault.script = (asked) => resting(asked as PlaceOrder)
})

t.test('an order goes to its vault actor and comes back as the market left it', async (t) => {
  const request = await signed({})
  const answer = await place(request)
  t.equal(answer.status, 201)
  t.match(answer.json, { id: messageId(request.message), market: 'XLM-USDC', side: 'buy', type: 'limit', price: '0.12', quantity: '10', spend: null, status: 'open', reason: null, filledQuantity: '0', filledQuote: '0' })
  t.match(stage.vault.heard, [{ kind: 'place', id: messageId(request.message), clientOrderId: request.message.nonce, account: alice.address, signer: alice.address, ticks: 1200, lots: 10, spend: 0n }])
})

t.test('market orders: by quantity with a worst price, by what to spend', async (t) => {
  await place(await signed({}, { side: 'sell', type: 'market', price: '0.1', quantity: '3', timeInForce: 'FOK' }))
  await place(await signed({}, { side: 'buy', type: 'market', spend: '12.5', timeInForce: 'IOC' }))
  t.match(stage.vault.heard, [
    { type: 'market', side: 'sell', ticks: 1000, lots: 3, spend: 0n, timeInForce: 'FOK' },
    { type: 'market', side: 'buy', ticks: 0, lots: 0, spend: 125_000_000n, timeInForce: 'IOC' },
  ])
})

t.test('what an order asks for besides travels with it, and is shown', async (t) => {
  const asked: [Partial<Record<string, string>>, object, object][] = [
    [{}, { postOnly: false, condition: 'none', minimum: 0, returnRemainder: false, selfTrade: 'cancelNewest' }, { postOnly: false, allOrNone: false, minimum: null, minimumPer: null, remainder: 'keep', selfTrade: 'cancelNewest' }],
    [{ postOnly: 'true', selfTrade: 'decrement' }, { postOnly: true, selfTrade: 'decrement' }, { postOnly: true, selfTrade: 'decrement' }],
    [{ allOrNone: 'true' }, { condition: 'allOrNone', minimum: 0 }, { allOrNone: true, minimum: null, minimumPer: null }],
    [{ minimum: '1' }, { condition: 'aggregate', minimum: 1 }, { minimum: '1', minimumPer: 'execution', remainder: 'keep' }],
    [{ minimum: '10', minimumPer: 'counterparty', remainder: 'return' }, { condition: 'perCounterparty', minimum: 10, returnRemainder: true }, { minimum: '10', minimumPer: 'counterparty', remainder: 'return' }],
  ]
  for (const [members, terms, shown] of asked) {
    const answer = await place(await signed(members))
    t.match(answer, { status: 201, json: shown }, JSON.stringify(members))
    t.match(stage.vault.heard.at(-1), { terms })
  }
  await place(await signed({ minimum: '3', selfTrade: 'cancelBoth' }, { side: 'sell', type: 'market', price: '0.1', quantity: '3', timeInForce: 'IOC' }))
  t.match(stage.vault.heard.at(-1), { type: 'market', terms: { condition: 'aggregate', minimum: 3, selfTrade: 'cancelBoth' } })
  await place(await signed({ selfTrade: 'cancelOldest' }, { side: 'buy', type: 'market', spend: '1', timeInForce: 'IOC' }))
  t.match(stage.vault.heard.at(-1), { spend: 10_000_000n, terms: { condition: 'none', selfTrade: 'cancelOldest' } })
})

t.test('what cannot be together is refused before it reaches a vault actor', async (t) => {
  const cases: [ErrorCode, Record<string, string>][] = [
    ['terms_conflict', { postOnly: 'true', timeInForce: 'IOC' }],
    ['terms_conflict', { allOrNone: 'true', timeInForce: 'FOK' }],
    ['terms_conflict', { minimum: '5', timeInForce: 'FOK' }],
    ['terms_conflict', { minimum: '5', postOnly: 'true' }],
    ['terms_conflict', { minimum: '5', allOrNone: 'true' }],
    ['terms_conflict', { allOrNone: 'true', postOnly: 'true' }],
    ['terms_conflict', { minimumPer: 'counterparty' }],
    ['terms_conflict', { remainder: 'return' }],
    ['terms_conflict', { allOrNone: 'true', remainder: 'return' }],
    ['minimum_out_of_range', { minimum: '11' }],
    ['minimum_out_of_range', { minimum: '0' }],
    ['quantity_off_lot', { minimum: '1.5' }],
    // One spelling for each: what is the default is left out.
    ['message_malformed', { postOnly: 'false' }],
    ['message_malformed', { minimum: '5', minimumPer: 'execution' }],
    ['message_malformed', { minimum: '5', remainder: 'keep' }],
    ['message_malformed', { selfTrade: 'none' }],
  ]
  for (const [code, change] of cases) refused(t, await place(await signed(change)), code, JSON.stringify(change))
  const market = { side: 'buy', type: 'market', price: '1', quantity: '5', timeInForce: 'IOC' } as const
  for (const change of [{ postOnly: 'true' }, { allOrNone: 'true' }]) refused(t, await place(await signed(change, market)), 'message_malformed', JSON.stringify(change))
  refused(t, await place(await signed({ minimum: '5' }, { side: 'buy', type: 'market', spend: '1', timeInForce: 'IOC' })), 'message_malformed')
  t.strictSame(stage.vault.heard, [])
})

t.test('an order beyond the largest value is refused at the edge', async (t) => {
  const small = await openStage({}, (file) => ({ ...file, markets: file.markets.map((market) => ({ ...market, maxValue: 12_000, selfTrade: 'decrement' as const })) }))
  t.teardown(() => small.close())
  const send = async (order: NewOrder) => call(small.url, 'POST', '/api/v1/orders', await signed({}, order))
  t.match(await send(limit), { status: 201, json: { selfTrade: 'decrement' } }, "and the market's self-trade mode is what an order without one gets")
  refused(t, await send({ ...limit, quantity: '11' }), 'order_value_exceeded')
  t.equal((await send({ side: 'buy', type: 'market', spend: '1.2000999', timeInForce: 'IOC' })).status, 201)
  refused(t, await send({ side: 'buy', type: 'market', spend: '1.2001', timeInForce: 'IOC' }), 'order_value_exceeded')
})

t.test('a fill is reported in decimals of the market', async (t) => {
  stage.vault.script = (asked) => {
    const open = resting(asked as PlaceOrder)
    const outcome = (open.answer as { ok: object }).ok
    return { ...open, answer: { ok: { ...outcome, status: 'cancelled', reason: 'no_liquidity', filledLots: 4 as Lots, filledQuote: 4_799_000n as Amount } } }
  }
  const answer = await place(await signed({}, { ...limit, timeInForce: 'IOC' }))
  t.match(answer, { status: 201, json: { status: 'cancelled', reason: 'no_liquidity', filledQuantity: '4', filledQuote: '0.4799' } })
})

t.test('what the vault already knows is 200, what is still on its way 202', async (t) => {
  const known = (status: OrderState['status']) => (asked: unknown) => {
    const { kind: _kind, signer: _signer, ...order } = asked as PlaceOrder
    const state: OrderState = { ...order, status, reason: null, filledLots: 0 as Lots, filledQuote: 0n as Amount, created: 1 as Milliseconds, updated: 2 as Milliseconds }
    return { answer: { ok: state } }
  }
  const request = await signed({})
  stage.vault.script = known('open')
  t.match(await place(request), { status: 200, json: { status: 'open', created: '1970-01-01T00:00:00.001Z' } })
  stage.vault.script = known('pending')
  t.match(await place(request), { status: 202, json: { status: 'pending' } })
})

t.test('refusals of the vault reach the client with their codes', async (t) => {
  const codes: ErrorCode[] = ['funds_insufficient', 'account_unknown', 'signer_not_allowed', 'open_orders_exceeded', 'market_unavailable', 'message_reused']
  for (const code of codes) {
    stage.vault.script = () => ({ answer: { refused: code } })
    refused(t, await place(await signed({})), code)
  }
})

t.test('what an order is bound to, and the rules of its market', async (t) => {
  const now = Math.floor(Date.now() / 1000)
  const cases: [ErrorCode, Record<string, string>][] = [
    ['network_mismatch', { network: 'Public Global Stellar Network ; September 2015' }],
    ['vault_mismatch', { vault: contractOf('another vault') }],
    ['market_unknown', { market: 'XLM-EURC' }],
    ['asset_mismatch', { base: contractOf('false XLM') }],
    ['asset_mismatch', { base: contractOf('USDC'), quote: contractOf('XLM') }],
    ['message_expired', { expires: String(now - 1) }],
    ['message_expired', { expires: '0' }],
    ['expiry_too_far', { expires: String(now + 86_400 + 60) }],
    ['price_off_tick', { price: '0.12345' }],
    ['price_out_of_range', { price: '10.0001' }],
    ['price_out_of_range', { price: '0' }],
    ['quantity_off_lot', { quantity: '10.5' }],
    ['quantity_out_of_range', { quantity: '1' }],
    ['quantity_out_of_range', { quantity: '1001' }],
    ['message_malformed', { price: '0.120' }],
    ['message_malformed', { quantity: '1e3' }],
    ['message_malformed', { side: 'both' }],
    ['message_malformed', { timeInForce: 'DAY' }],
    ['message_malformed', { nonce: '' }],
    ['message_malformed', { colour: 'red' }],
    ['message_malformed', { account: `G${'A'.repeat(55)}` }],
    ['message_malformed', { account: alice.address.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) }],
    ['action_unsupported', { action: 'cancel' }],
    ['message_malformed', { action: 'dance' }],
  ]
  for (const [code, change] of cases) refused(t, await place(await signed(change)), code, `${code} ${Object.keys(change).join()}`)
  refused(t, await place(await signed({}, { side: 'buy', type: 'market', spend: '0', timeInForce: 'IOC' })), 'quantity_out_of_range')
  refused(t, await place(await signed({}, { side: 'sell', type: 'market', spend: '1', timeInForce: 'IOC' } as unknown as NewOrder)), 'message_malformed')
  t.strictSame(stage.vault.heard, [], 'none of it reached a vault actor')
})

t.test('no changed byte passes, wherever it is', async (t) => {
  const request = await signed({})
  const names = Object.keys(request.message)
  for (const name of names) {
    const value = request.message[name]!
    // A change that leaves the message well formed, so that only the signature can tell.
    const changed = { nonce: `${value}x`.slice(-16), expires: String(Number(value) + 1), side: 'sell', price: '0.13', quantity: '11', timeInForce: 'IOC', account: bob.address }[name]
    if (changed === undefined) continue
    refused(t, await place({ ...request, message: { ...request.message, [name]: changed } }), 'signature_invalid', name)
  }
  const signature = Buffer.from(request.signature, 'base64')
  for (const at of [0, 31, 32, 63]) {
    const flipped = Buffer.from(signature)
    flipped[at]! ^= 1
    refused(t, await place({ ...request, signature: flipped.toString('base64') }), 'signature_invalid', `byte ${at}`)
  }
  refused(t, await place({ ...request, signature: Buffer.alloc(64).toString('base64') }), 'signature_invalid', 'all zero')
  t.strictSame(stage.vault.heard, [])
})

t.test('who signs: the account itself, or a key that the request names', async (t) => {
  const byBob = await signed({}, limit, bob)
  t.equal(byBob.signer, bob.address)
  t.equal((await place(byBob)).status, 201)
  t.match(stage.vault.heard, [{ account: alice.address, signer: bob.address }], 'the vault decides what that key may do')
  const { signer: _signer, ...unnamed } = byBob
  refused(t, await place(unnamed), 'signature_invalid', 'a signature of another key without its name')
  refused(t, await place({ ...byBob, signer: trader('carol').address }), 'signature_invalid', 'under the name of a third')
  refused(t, await place({ ...byBob, signer: bob.address.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) }), 'signature_invalid', 'a name with a wrong checksum')
})

t.test('a contract account has no key of its own', async (t) => {
  const account = StrKey.encodeContract(Buffer.alloc(32, 7))
  const request = await signed({ account }, limit, bob)
  t.equal((await place(request)).status, 201)
  t.match(stage.vault.heard, [{ account, signer: bob.address }])
  const { signer: _signer, ...unnamed } = request
  refused(t, await place(unnamed), 'signature_invalid')
})

t.test('orders of one moment share packets, and every account goes to its own vault actor', async (t) => {
  // What counts as one moment is the machine's to say: on a busy one, orders sent together may arrive one by one. So it is tried a few times.
  let shared = false
  for (let attempt = 0; attempt < 20 && !shared; attempt++) {
    stage.vault.packets.length = 0
    const requests = await Promise.all(Array.from({ length: 40 }, async (_, i) => {
      const signer = trader(`trader ${i}`)
      return signRequest(orderMessage({ ...client.binding, account: signer.address }, market, limit, { expires: soon() }), signer)
    }))
    const answers = await Promise.all(requests.map(place))
    t.ok(answers.every(({ status }) => status === 201))
    t.strictSame(new Set(answers.map(({ json }) => json.id)), new Set(requests.map(({ message }) => messageId(message))))
    t.equal(stage.vault.heard.length, 40)
    shared = stage.vault.packets.length < 40
    for (const { items } of stage.vault.packets) {
      const owners = new Set(items.map((item) => vaultOf(('command' in item ? item.command : item.query).account, 2)))
      t.equal(owners.size, 1, 'a packet has orders of one vault actor only')
    }
  }
  t.ok(shared, 'packets are shared')
})

t.test('nothing an order says was logged', async (t) => {
  t.notMatch(stage.log(), new RegExp(`${alice.address}|${bob.address}|0\\.12|XLM`))
})

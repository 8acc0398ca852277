import assert from 'node:assert/strict'
import { createHash, createPrivateKey, sign, verify, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { Refusal } from '../../src/protocol/errors.ts'
import { canonicalJson, canonicalText } from '../../src/protocol/messages/canonical.ts'
import { messageId } from '../../src/protocol/messages/messageId.ts'
import { readMessage } from '../../src/protocol/messages/message.ts'
import type { Action } from '../../src/protocol/messages/message.ts'

interface Example {
  action: Action
  message: Record<string, string>
  canonical: string
  digest: string
  signature: string
}
const { seedHex, examples } = JSON.parse(readFileSync(new URL('../../docs/messages.examples.json', import.meta.url), 'utf8')) as { seedHex: string; examples: Example[] }

/** The PKCS #8 wrapping of an ed25519 seed (RFC 8410 section 7). */
const privateKey = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seedHex, 'hex')]), format: 'der', type: 'pkcs8' })

t.test('the worked examples of docs/messages.md', async (t) => {
  const page = readFileSync(new URL('../../docs/messages.md', import.meta.url), 'utf8')
  t.strictSame(new Set(examples.map(({ action }) => action)), new Set(['order', 'amend', 'cancel', 'cancelAll', 'deadMan', 'withdraw', 'delegate', 'revoke', 'login', 'session']))
  for (const { action, message, canonical, digest, signature } of examples) {
    t.equal(canonicalJson(message), canonical, `${action}: canonical bytes`)
    t.equal(messageId(message), digest, `${action}: digest`)
    t.equal(createHash('sha256').update(`Stellar Signed Message:\n${canonical}`).digest('hex'), digest, `${action}: digest by hand`)
    t.equal(sign(null, Buffer.from(digest, 'hex'), privateKey).toString('base64'), signature, `${action}: signature`)
    t.ok(verify(null, Buffer.from(digest, 'hex'), createPublicKey(privateKey), Buffer.from(signature, 'base64')))
    t.strictSame(readMessage(action, message), message, `${action}: passes its schema`)
    t.ok(page.includes(canonical) && page.includes(digest) && page.includes(signature), `${action}: stands in docs/messages.md as it is here`)
  }
})

/** What an order may ask for besides: left out, it is another order. */
const optional = ['postOnly', 'allOrNone', 'minimum', 'minimumPer', 'remainder', 'selfTrade']

t.test('every member counts: each missing, unknown, emptied or mistyped one is refused', async (t) => {
  for (const { action, message } of examples) {
    for (const name of Object.keys(message)) {
      const { [name]: _, ...without } = message
      if (optional.includes(name)) t.not(messageId(readMessage(action, without)), messageId(message))
      else t.throws(() => readMessage(action, without), Refusal, `${action} without ${name}`)
      t.throws(() => readMessage(action, { ...message, [name]: '' }), Refusal, `${action} with an empty ${name}`)
      for (const value of [1, null, true, [message[name]], { a: 1 }]) t.throws(() => readMessage(action, { ...message, [name]: value }), Refusal, `${action} with ${name} = ${JSON.stringify(value)}`)
    }
    t.throws(() => readMessage(action, { ...message, memo: 'x' }), Refusal, `${action} with an unknown member`)
    t.throws(() => readMessage(action === 'order' ? 'cancel' : 'order', message), new Refusal('action_unsupported', 'action'))
  }
})

t.test('an order type takes exactly its own members', async (t) => {
  const limit = examples.find(({ action }) => action === 'order')?.message ?? {}
  const { price, quantity, timeInForce: _, ...base } = limit as Record<string, string> & { price: string; quantity: string }
  const market = { ...base, type: 'market', timeInForce: 'IOC' }
  t.ok(readMessage('order', { ...market, price, quantity }))
  t.ok(readMessage('order', { ...market, side: 'buy', spend: '100' }))
  t.throws(() => readMessage('order', { ...market, side: 'sell', spend: '100' }), Refusal, 'only a buy spends')
  t.throws(() => readMessage('order', { ...market, side: 'buy', spend: '100', quantity }), Refusal, 'spend and quantity')
  t.throws(() => readMessage('order', { ...market, side: 'buy', spend: '100', timeInForce: 'FOK' }), Refusal, 'all or nothing of what?')
  t.throws(() => readMessage('order', { ...market, price, quantity, timeInForce: 'GTC' }), Refusal, 'a market order never rests')
  t.throws(() => readMessage('order', { ...market, quantity }), Refusal, 'a market order without any bound')
})

t.test('what an order may ask for besides has one spelling, and only where it can be meant', async (t) => {
  const { price, quantity, ...base } = examples.find(({ action }) => action === 'order')?.message as Record<string, string> & { price: string; quantity: string }
  const types = {
    limit: { ...base, price, quantity },
    market: { ...base, type: 'market', timeInForce: 'IOC', price, quantity },
    spend: { ...base, type: 'market', timeInForce: 'IOC', side: 'buy', spend: '1' },
  }
  const asked: readonly (readonly [string, readonly string[], readonly (keyof typeof types)[]])[] = [
    ['postOnly', ['true'], ['limit']],
    ['allOrNone', ['true'], ['limit']],
    ['minimum', ['5', '0.5'], ['limit', 'market']],
    ['minimumPer', ['counterparty'], ['limit', 'market']],
    ['remainder', ['return'], ['limit', 'market']],
    ['selfTrade', ['cancelNewest', 'cancelOldest', 'cancelBoth', 'decrement'], ['limit', 'market', 'spend']],
  ]
  for (const [name, values, where] of asked) {
    for (const [type, order] of Object.entries(types)) {
      const takes = where.includes(type as keyof typeof types)
      for (const value of values) {
        if (takes) t.ok(readMessage('order', { ...order, [name]: value }), `${type}: ${name} ${value}`)
        else t.throws(() => readMessage('order', { ...order, [name]: value }), Refusal, `${type}: ${name} ${value}`)
      }
      for (const value of ['false', 'none', 'execution', 'keep', 'True', '', '05', true, null]) t.throws(() => readMessage('order', { ...order, [name]: value }), Refusal, `${type}: ${name} ${value}`)
    }
  }
})

t.test('a message has one id, whatever the order of its members, and another when any byte changes', async () => {
  const members = fc.dictionary(fc.stringMatching(/^[a-zA-Z]{1,12}$/), fc.string({ unit: 'binary', maxLength: 20 }), { minKeys: 1, maxKeys: 8 })
  fc.assert(
    fc.property(members, fc.nat(), (message, seed) => {
      const entries = Object.entries(message)
      const turned = Object.fromEntries([...entries.slice(seed % entries.length), ...entries.slice(0, seed % entries.length)].reverse())
      const [name, value] = entries[seed % entries.length] as [string, string]
      return messageId(turned) === messageId(message) && messageId({ ...message, [name]: `${value}x` }) !== messageId(message) && JSON.stringify(JSON.parse(canonicalJson(message))) !== undefined
    }),
  )
})

t.test('members that are strings have one canonical text, whatever was written before them', async (t) => {
  const plain = fc.stringMatching(/^[A-Za-z0-9.:_-]{0,12}$/)
  // Quotes, control characters, halves of surrogate pairs, and names that objects have of their own.
  const odd = fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.constantFrom('"', '\\', '\n', '\ud800', '\udc00x', '\ud83d\ude00', '\u2028', '\u007f', 'é', '__proto__', 'constructor', '10', '9', ''))
  const members = fc.dictionary(fc.oneof({ weight: 3, arbitrary: plain }, { weight: 1, arbitrary: odd }), fc.oneof({ weight: 5, arbitrary: plain }, { weight: 1, arbitrary: odd }), { maxKeys: 16 })
  const shuffled = members.chain((one) => fc.shuffledSubarray(Object.entries(one), { minLength: Object.keys(one).length }).map((entries) => [one, Object.fromEntries(entries)] as const))
  fc.assert(
    fc.property(fc.array(shuffled, { minLength: 1, maxLength: 4 }), (several) => {
      for (const [one, again] of [...several, ...several]) for (const form of [one, again, { ...one, last: '"' }]) assert.equal(canonicalText(form), canonicalJson(form))
    }),
    { numRuns: 500 },
  )
  t.equal(canonicalText({}), '{}')
})

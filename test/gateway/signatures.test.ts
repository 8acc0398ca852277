import fc from 'fast-check'
import t from 'tap'
import { KeyCache } from '../../src/gateway/signatures/keyCache.ts'
import { SignaturePool } from '../../src/gateway/signatures/pool.ts'
import { messageId } from '../../src/protocol/messages/messageId.ts'
import { canonicalJson } from '../../src/protocol/messages/canonical.ts'
import { trader } from './stage.ts'

const pool = new SignaturePool(2)
t.teardown(() => pool.close())
const keys = new KeyCache()
const check = (address: string, signature: string, digest: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    pool.verify(keys.publicKey(address)!, signature, digest, (valid, failure) => (failure === null ? resolve(valid) : reject(failure)))
  })

t.test('each of many signatures gets its own verdict, however they share tasks', async (t) => {
  const signers = Array.from({ length: 5 }, (_, i) => trader(`signer ${i}`))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ signer: fc.nat(4), wrong: fc.boolean() }), { minLength: 1, maxLength: 200 }), async (plan) => {
      const verdicts = await Promise.all(
        plan.map(({ signer, wrong }, i) => {
          const message = { action: 'order', nonce: String(i) }
          const { address } = signers[wrong ? (signer + 1) % 5 : signer]!
          return check(address, signers[signer]!.signMessage(canonicalJson(message)), messageId(message))
        }),
      )
      return verdicts.every((valid, i) => valid === !plan[i]!.wrong)
    }),
    { numRuns: 30 },
  )
  t.pass('valid where it fits, and only there')
})

t.test('keys of no order, which fit many messages, fit none', async (t) => {
  // The identity, encoded as a public key: with an all-zero S it would satisfy the bare equation for every message.
  const identity = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))
  const signature = Buffer.concat([identity, Buffer.alloc(32)]).toString('base64')
  const verdict = await new Promise<boolean>((resolve) => pool.verify(identity, signature, 'ab'.repeat(32), (valid) => resolve(valid)))
  t.equal(verdict, false)
})

t.test('the key cache: same answer before, within and after its bound; nonsense is never a key', async (t) => {
  const small = new KeyCache(2)
  const addresses = Array.from({ length: 7 }, (_, i) => trader(`cached ${i}`).address)
  const first = addresses.map((address) => Buffer.from(small.publicKey(address)!).toString('hex'))
  const second = addresses.map((address) => Buffer.from(small.publicKey(address)!).toString('hex'))
  t.strictSame(first, second)
  t.equal(new Set(first).size, 7)
  for (const nonsense of ['', 'G', addresses[0]!.slice(1), addresses[0]!.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')), `C${addresses[0]!.slice(1)}`]) t.equal(small.publicKey(nonsense), undefined)
})

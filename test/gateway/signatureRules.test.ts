import { createHash } from 'node:crypto'
import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519'
import fc from 'fast-check'
import { crypto_sign_verify_detached } from 'sodium-native'
import t from 'tap'
import { loadSignatures } from '../../src/gateway/signatures/module.ts'
import { CHECK_BYTES } from '../../src/gateway/signatures/packing.ts'

// Which signatures are taken: the module against the rule written out with another library's arithmetic, and against libsodium, over signatures that are honest, damaged, and made by somebody who
// knows the key and wants two verifiers to disagree.

const signatures = loadSignatures()
const verify = (packed: Uint8Array): Uint8Array => signatures.verify(packed)
const { Point, CURVE } = ed25519
const [ORDER, PRIME] = [CURVE.n, CURVE.Fp.ORDER]
type P = InstanceType<typeof Point>
const torsion = ED25519_TORSION_SUBGROUP.map((hex) => Point.fromHex(hex))

interface Check {
  readonly key: Uint8Array
  readonly r: Uint8Array
  readonly s: Uint8Array
  readonly digest: Uint8Array
}

const little = (value: bigint): Uint8Array => Uint8Array.from({ length: 32 }, (_, n) => Number((value >> BigInt(8 * n)) & 255n))
const number = (bytes: Uint8Array): bigint => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
const modulo = (value: bigint): bigint => ((value % ORDER) + ORDER) % ORDER
const times = (point: P, by: bigint): P => (by === 0n ? Point.ZERO : point.multiplyUnsafe(by))
const challenge = (r: Uint8Array, key: Uint8Array, digest: Uint8Array): bigint => modulo(number(createHash('sha512').update(r).update(key).update(digest).digest()))
const equal = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0

/** The rule, slowly. */
function strict({ key, r, s, digest }: Check): boolean {
  let point: P
  try {
    point = Point.fromHex(key, true)
  } catch {
    return false
  }
  if (!equal(point.toBytes(), key) || point.isSmallOrder() || number(s) >= ORDER) return false
  const expected = times(Point.BASE, number(s)).subtract(times(point, challenge(r, key, digest)))
  return equal(expected.toBytes(), r) && !expected.isSmallOrder()
}

const packed = (checks: readonly Check[]): Uint8Array => Buffer.concat(checks.flatMap(({ key, r, s, digest }) => [key, r, s, digest]))
const verdicts = (checks: readonly Check[]): boolean[] => {
  const bits = verify(packed(checks))
  return checks.map((_, n) => (bits[n >> 3]! & (1 << (n & 7))) !== 0)
}
const sodium = ({ key, r, s, digest }: Check): boolean => crypto_sign_verify_detached(Buffer.concat([r, s]), Buffer.from(digest), Buffer.from(key))

/** Signed by whoever has `secret`, with points of small order added to key and nonce. */
function signed(secret: bigint, nonce: bigint, digest: Uint8Array, toKey = 0, toNonce = 0): Check {
  const key = times(Point.BASE, modulo(secret)).add(torsion[toKey]!).toBytes()
  const r = times(Point.BASE, modulo(nonce)).add(torsion[toNonce]!).toBytes()
  return { key, r, s: little(modulo(nonce + challenge(r, key, digest) * secret)), digest }
}

const digestOf = (name: string): Uint8Array => createHash('sha256').update(name).digest()
const [secret, nonce] = [number(digestOf('secret')), number(digestOf('nonce'))]
const honest = signed(secret, nonce, digestOf('message'))
/** The first digest for which something holds. */
const sought = (make: (digest: Uint8Array) => Check, holds: (check: Check, k: bigint) => boolean): Check => {
  for (let n = 0; ; n++) {
    const check = make(digestOf(`sought ${n}`))
    if (holds(check, challenge(check.r, check.key, check.digest))) return check
  }
}
const small = torsion.map((point) => point.toBytes())
const eighth = torsion.findIndex((point) => !times(point, 4n).equals(Point.ZERO))
/** Spellings of points with a coordinate that is not reduced, or a zero with a sign. */
const unreduced = Array.from({ length: 19 }, (_, n) => PRIME + BigInt(n)).flatMap((y) => [little(y), little(y | (1n << 255n))]).concat([little(1n | (1n << 255n)), little((PRIME - 1n) | (1n << 255n))])

t.test('each kind of signature that verifiers are known to disagree on', async (t) => {
  const withKey = (key: Uint8Array): Check => ({ ...honest, key })
  const cases: readonly (readonly [string, boolean, Check])[] = [
    ['an honest one', true, honest],
    ['another message', false, { ...honest, digest: digestOf('another') }],
    ['S with the order added', false, { ...honest, s: little(number(honest.s) + ORDER) }],
    ['S of the order itself', false, { ...honest, s: little(ORDER) }],
    ['S all ones', false, { ...honest, s: new Uint8Array(32).fill(255) }],
    ['key and R of small order, S 0: fits every message', false, sought((digest) => ({ key: small[eighth]!, r: small[0]!, s: little(0n), digest }), (_, k) => k % 8n === 0n)],
    ['key of small order, R not', false, sought((digest) => ({ ...signed(0n, nonce, digest), key: small[eighth]! }), ({ r, digest }) => challenge(r, small[eighth]!, digest) % 8n === 0n)],
    ['R the identity, key an honest one: S is k times the secret', false, signed(secret, 0n, digestOf('m'))],
    ['R of small order, key an honest one', false, signed(secret, 0n, digestOf('m'), 0, eighth)],
    ['a key with a point of small order, where k takes it away', true, sought((digest) => signed(secret, nonce, digest, eighth), (_, k) => k % 8n === 0n)],
    ['a key with a point of small order, which only a cofactor takes away', false, sought((digest) => signed(secret, nonce, digest, eighth), (_, k) => k % 8n !== 0n)],
    ['R with a point of small order, which only a cofactor takes away', false, signed(secret, nonce, digestOf('m'), 0, eighth)],
    ['both with one', false, sought((digest) => signed(secret, nonce, digest, eighth, eighth), (_, k) => (k + 1n) % 8n !== 0n)],
    ['both with one, and they cancel out', true, sought((digest) => signed(secret, nonce, digest, eighth, eighth), ({ r, key, s, digest }) => equal(times(Point.BASE, number(s)).subtract(times(Point.fromHex(key), challenge(r, key, digest))).toBytes(), r))],
    ['nothing at all', false, { key: little(0n), r: little(0n), s: little(0n), digest: little(0n) }],
    ...unreduced.map((bytes): readonly [string, boolean, Check] => ['a key in another spelling', false, withKey(bytes)]),
    ...unreduced.map((bytes): readonly [string, boolean, Check] => ['R in another spelling', false, { ...honest, r: bytes }]),
    ...small.map((bytes): readonly [string, boolean, Check] => ['a key of small order', false, withKey(bytes)]),
  ]
  const found = verdicts(cases.map(([, , check]) => check))
  for (const [n, [what, fits, check]] of cases.entries()) {
    t.equal(found[n], fits, what)
    t.equal(strict(check), fits, `${what}, by the rule`)
  }
})

const kind = fc.constantFrom('honest', 'honest', 'honest', 'honest', 'key', 'r', 's', 'digest', 'malleable', 'noise')
const plan = fc.record({ kind, secret: fc.nat(5).map(BigInt), nonce: fc.nat(5).map(BigInt), toKey: fc.nat(7), toNonce: fc.nat(7), message: fc.nat(40), bit: fc.nat(255), noise: fc.uint8Array({ minLength: 96, maxLength: 96 }), other: fc.nat(unreduced.length - 1) })
type Plan = typeof plan extends fc.Arbitrary<infer Value> ? Value : never
const flipped = (bytes: Uint8Array, bit: number): Uint8Array => bytes.map((byte, n) => (n === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))

function made({ kind, secret, nonce, toKey, toNonce, message, bit, noise, other }: Plan): Check {
  // Every other key and nonce is without anything of small order.
  const check = signed(secret, nonce, digestOf(`message ${message}`), toKey % 2 === 0 ? 0 : toKey, toNonce % 2 === 0 ? 0 : toNonce)
  switch (kind) {
    case 'key': return { ...check, key: bit % 3 === 0 ? unreduced[other]! : flipped(check.key, bit) }
    case 'r': return { ...check, r: bit % 3 === 0 ? unreduced[other]! : flipped(check.r, bit) }
    case 's': return { ...check, s: flipped(check.s, bit) }
    case 'digest': return { ...check, digest: flipped(check.digest, bit) }
    case 'malleable': return { ...check, s: little(number(check.s) + ORDER * BigInt(1 + (bit % 8))) }
    case 'noise': return { key: noise.slice(0, 32), r: noise.slice(32, 64), s: noise.slice(64), digest: check.digest }
    default: return check
  }
}

t.test('the verdict is that of the rule, whatever is packed with what', async (t) => {
  const seen = new Map<boolean, number>()
  fc.assert(
    fc.property(fc.array(plan, { minLength: 1, maxLength: 20, size: 'max' }), (plans) => {
      const checks = plans.map(made)
      const found = verdicts(checks)
      for (const [n, check] of checks.entries()) {
        if (found[n] !== strict(check)) throw new Error(`${found[n]} for ${Buffer.from(packed([check])).toString('hex')}`)
        seen.set(found[n], (seen.get(found[n]) ?? 0) + 1)
      }
    }),
    { numRuns: 60 },
  )
  t.ok(seen.get(true)! > 20 && seen.get(false)! > 20, 'both verdicts occur')
})

t.test('libsodium, which signs and checks elsewhere in the venue, takes and refuses the same wherever nobody has added a point of small order', async (t) => {
  fc.assert(
    fc.property(fc.array(plan.map((one) => ({ ...one, secret: one.secret + 1n, nonce: one.nonce + 1n, toKey: 0, toNonce: 0 })), { minLength: 1, maxLength: 64, size: 'max' }), (plans) => {
      const checks = plans.map(made)
      const found = verdicts(checks)
      for (const [n, check] of checks.entries()) if (found[n] !== sodium(check)) throw new Error(`${found[n]} for ${Buffer.from(packed([check])).toString('hex')}`)
    }),
    { numRuns: 60 },
  )
  t.pass()
})

t.test('one bad one among 64, wherever it stands, is the only one refused', async (t) => {
  const checks = Array.from({ length: 64 }, (_, n) => signed(secret + BigInt(n), nonce + BigInt(n), digestOf(`of ${n}`)))
  t.ok(verdicts(checks).every(Boolean))
  for (const bad of checks.keys()) {
    const found = verdicts(checks.map((check, n) => (n === bad ? { ...check, s: flipped(check.s, bad) } : check)))
    if (!found.every((valid, n) => valid === (n !== bad))) t.fail(`a bad one at ${bad}`)
  }
})

t.test('bytes that are not whole checks, or no bytes, are an error and nothing else', async (t) => {
  for (const length of [0, 1, CHECK_BYTES - 1, CHECK_BYTES + 1, 64 * CHECK_BYTES - 1]) t.throws(() => verify(new Uint8Array(length)), { message: `${length} bytes are not whole checks` })
  for (const other of [undefined, null, 7, 'text', {}, [1, 2], new Float64Array(16), new DataView(new ArrayBuffer(CHECK_BYTES)), new ArrayBuffer(CHECK_BYTES)]) t.throws(() => verify(other as Uint8Array))
  const handedOn = new Uint8Array(CHECK_BYTES)
  structuredClone(handedOn, { transfer: [handedOn.buffer] })
  t.throws(() => verify(handedOn))
  t.strictSame([...verify(packed(Array.from({ length: 9 }, () => honest)))], [255, 1])
  const inside = Buffer.concat([Buffer.alloc(3), packed([honest])]).subarray(3)
  t.strictSame([...verify(inside)], [1], 'from the middle of a buffer')
})

t.test('keys that were seen before count as they did, however many came between', async (t) => {
  const others = Array.from({ length: 18_000 }, (_, n): Check => ({ ...honest, key: digestOf(`key ${n}`) }))
  for (let n = 0; n < others.length; n += 1_000) {
    t.strictSame([...verify(packed([honest, ...others.slice(n, n + 1_000)]))].filter((byte) => byte !== 0), [1])
  }
})

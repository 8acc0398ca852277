import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import t from 'tap'
import { fromAnyHex, toHex } from '../../src/protocol/hex.ts'
import { assertChain, assertCurrent, assertEndEntity, readChain } from '../../src/client/enclave/certificate.ts'
import { signedBy } from '../../src/client/enclave/signature.ts'
import { readEnclaveIdentity } from '../../src/client/enclave/tcb.ts'
import { INTEL_ROOT_KEY, verifyEvidence } from '../../src/client/enclave/verifier.ts'
import { shownWith } from './enclaveScene.ts'
import { issuerChain, qeIdentity, qeIdentitySignature } from './intel.ts'

void t.test('the pinned root is Intel’s: what Intel has published is signed under it', async (t) => {
  const [signing, root] = readChain(issuerChain)
  await assertChain([signing!, root!], ['Intel SGX TCB Signing', 'Intel SGX Root CA'])
  assertEndEntity(signing!)
  assertCurrent(root!, new Date('2049-12-31T00:00:00Z'))
  t.throws(() => assertCurrent(signing!, new Date('2025-06-01T00:00:00Z')))
  t.equal(toHex(root!.key), INTEL_ROOT_KEY)
  t.ok(await signedBy(signing!.key, new TextEncoder().encode(qeIdentity), fromAnyHex(qeIdentitySignature)))
  t.notOk(await signedBy(signing!.key, new TextEncoder().encode(qeIdentity.replace('UpToDate', 'Outdated')), fromAnyHex(qeIdentitySignature)))
  t.equal(readEnclaveIdentity(qeIdentity).isvprodid, 2)
})

void t.test('a test PKI, sound in every other way, is refused', async (t) => {
  const { evidence, question, pki } = await shownWith()
  const { ok, checks } = await verifyEvidence(evidence, { ...question, root: pki.rootKey } as typeof question)
  t.notOk(ok)
  t.same(checks.filter((check) => !check.ok && check.blockedBy === null).map(({ name }) => name), ['root-key', 'crl-chain', 'tcb-info-chain', 'qe-identity-chain'], 'wherever a chain has to end at the root, whatever the caller hands in')
})

void t.test('nothing in production can load the test PKI, or the entry that takes another root', (t) => {
  const root = resolve(import.meta.dirname, '../..')
  const source = join(root, 'src')
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => join(source, name))
  // Keys for a machine without TDX are derived there too: that says nothing to a verifier.
  const kept = /^(enclave\/simulator\/(?!(developmentKeys|keyChain)\.ts$)|client\/enclave\/development\.ts$)/
  const imports: string[] = []
  for (const file of files) {
    if (kept.test(relative(source, file))) continue
    for (const [, specifier] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']*)'/g)) {
      const target = relative(source, resolve(dirname(file), specifier!))
      if (kept.test(target) && !allowed.has(relative(source, file))) imports.push(`${relative(source, file)} imports ${target}`)
    }
  }
  t.ok(files.length > 100)
  t.same(imports, [])
  t.end()
})

/** Commands of a person’s own machine, which load it where they are asked to and where it is there. */
const allowed: ReadonlySet<string> = new Set(['cli/verification.ts'])

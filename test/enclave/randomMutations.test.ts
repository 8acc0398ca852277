import t from 'tap'
import { verifyDevelopmentEvidence } from '../../src/client/enclave/development.ts'
import type { AttestationEvidence } from '../../src/protocol/attestation.ts'
import { shownWith } from './enclaveScene.ts'
import { numbers, otherEvidence } from './randomMutations.ts'

t.setTimeout(3_600_000)
/** DARKPOOL_MUTATIONS in the environment for another number of them, DARKPOOL_MUTATIONS_SEED for the same again. */
const count = Number(process.env.DARKPOOL_MUTATIONS ?? 10_000)
const seed = Number(process.env.DARKPOOL_MUTATIONS_SEED ?? Date.now() % 0x1_0000_0000)

void t.test(`${count} random mutations of quote, log, compose and collateral are refused, and none of them is thrown over`, async (t) => {
  const draw = numbers(seed)
  const { evidence, question, pki } = await shownWith()
  const sound = evidence as AttestationEvidence & { readonly collateral: object }
  t.ok((await verifyDevelopmentEvidence(sound, question, pki.rootKey)).ok)
  const accepted: string[] = []
  const caught = new Set<string>()
  for (let n = 0; n < count; n++) {
    const mutation = otherEvidence(sound, draw)
    const { ok, checks } = await verifyDevelopmentEvidence(mutation.evidence, question, pki.rootKey)
    if (ok) accepted.push(`${n}: ${mutation.what}`)
    for (const check of checks) if (!check.ok && check.blockedBy === null) caught.add(check.name)
  }
  t.same(accepted, [], `seed ${seed}`)
  t.ok(caught.size > 20, `they were caught by ${caught.size} different checks`)
})

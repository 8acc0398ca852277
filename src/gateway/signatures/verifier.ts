import { loadSignatures } from './module.ts'

const signatures = loadSignatures()

/** Runs in a thread of the signature pool: checks packed ed25519 signatures and answers one bit each. */
export default function verify(packed: Uint8Array): Uint8Array {
  return signatures.verify(packed)
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Where set-up puts what it makes of native/: beside the other things that are built from Rust. */
export const signaturesModule = join(import.meta.dirname, '..', '..', '..', 'contract', 'target', 'signatures', 'release', 'libdarkpool_signatures.so')

export interface Signatures {
  /** Checks packed signatures (packing.ts) and answers one bit each, the first in the lowest bit of the first byte. @throws Error where the bytes are not whole checks */
  verify(packed: Uint8Array): Uint8Array
}

/** Loads the module that checks signatures into this thread. @throws Error where it has not been built */
export function loadSignatures(): Signatures {
  if (!existsSync(signaturesModule)) throw new Error('the module that checks signatures is not built: `npm start` and `npm test` build it, `npm run build:signatures` builds it alone')
  const loaded = { exports: {} as Signatures }
  process.dlopen(loaded, signaturesModule)
  return loaded.exports
}

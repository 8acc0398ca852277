// `npm test`: every Rust and every TypeScript test. `npm test -- test/venue` runs the TypeScript tests of that folder or file only.
import { Proof } from './proof/proof.ts'
import { main } from './setup/fault.ts'

await main(async () => {
  const files = process.argv.slice(2)
  const proof = new Proof()
  await proof.setUp()
  if (files.length === 0) await proof.rust()
  await proof.typescript(files)
  return proof.end()
})

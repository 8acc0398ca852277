// Builds the module that checks signatures, alone.
import { main } from './fault.ts'
import { buildSignatures } from './rust.ts'
import { Steps } from './steps.ts'

await main(async () => {
  await new Steps().run('build signature module', buildSignatures)
  return 0
})

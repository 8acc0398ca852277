import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { serveUntilTold } from '../lifetime.ts'
import { DevelopmentAgent } from './agent.ts'
import { developmentChain, developmentRoot } from './developmentKeys.ts'
import { DevelopmentPlatform } from './platform.ts'

// The guest agent of a development venue, as a process.
//   node src/enclave/simulator/main.ts --root FILE --socket PATH [--collateral FILE]
// FILE is the root key, made at first use. --collateral: where what Intel would say of the machine is written.

const USAGE = 'usage: node src/enclave/simulator/main.ts --root FILE --socket PATH [--collateral FILE]'

function giveUp(sentence: string): never {
  process.stderr.write(`development guest agent: ${sentence}\n`)
  process.exit(2)
}

async function open(): Promise<DevelopmentAgent> {
  try {
    const { values } = parseArgs({ options: { root: { type: 'string' }, socket: { type: 'string' }, collateral: { type: 'string' } } })
    if (values.root === undefined || values.socket === undefined) return giveUp(USAGE)
    const chain = developmentChain(values.root)
    const platform = new DevelopmentPlatform(developmentRoot(values.root), chain.rootPublicKey, new Date())
    if (values.collateral !== undefined) writeFileSync(values.collateral, `${JSON.stringify(platform.collateral(new Date()))}\n`)
    return await DevelopmentAgent.open(resolve(values.socket), chain, platform, (error) => process.stderr.write(`development guest agent: ${String(error)}\n`))
  } catch (error) {
    return giveUp((error as Error).message)
  }
}

const agent = await open()
serveUntilTold(() => agent.close())

import { readFileSync } from 'node:fs'
import { registeredEngine } from '../client/chain.ts'
import type { Verification } from '../client/enclave/examine.ts'
import { judged } from '../client/enclave/judgement.ts'
import type { Judge } from '../client/enclave/judgement.ts'
import { readPolicy } from '../client/enclave/policy.ts'
import { TlsTransport } from '../client/tlsTransport.ts'
import { fetchTransport } from '../client/transport.ts'
import { evidenceOf } from '../client/verifiedTransport.ts'
import type { Arguments } from './arguments.ts'
import { UsageFault } from './fault.ts'

type Options = Arguments['options']

/** What a venue was found to be, and what GET /api/v1/markets said over the very connection that was looked at: as it came. */
export interface Looked {
  readonly verification: Verification
  readonly markets: unknown
}

/** Looks at the enclave behind a URL, and judges it as the options say. @throws UsageFault, NotVerified where the venue shows nothing, NeverSent where it cannot be asked */
export async function lookAt(url: string, options: Options, say: (text: string) => void): Promise<Looked> {
  const policy = readFile('policy', options.policy, (text) => readPolicy(JSON.parse(text)))
  const { venue } = policy
  const { engine, rpc } = options
  if ((engine === undefined) === (rpc === undefined)) throw new UsageFault('say what the vault has: --rpc URL to ask the chain, or --engine G… if you have looked')
  const judgement = {
    policy,
    registeredEngine: engine ?? ((channel: number) => registeredEngine(rpc!, venue.network, venue.vault, channel)),
    ...(options.collateral === undefined ? {} : { collateral: readFile('collateral', options.collateral, (text): unknown => JSON.parse(text)) }),
    ...(options['tls-unseen'] === true ? { tlsKeyUnseen: 'accepted' as const } : {}),
  }
  // Who may speak for a name does not matter here: it is the key that the evidence has to bind.
  const transport = url.startsWith('https:') ? new TlsTransport({ rejectUnauthorized: false }) : fetchTransport
  const look = await evidenceOf(transport, url)
  return { verification: await judged(look, judgement, await judgeBy(options, say)), markets: look.markets }
}

async function judgeBy({ 'development-root': file }: Options, say: (text: string) => void): Promise<Judge | undefined> {
  if (file === undefined) return undefined
  const root = readFile('development-root', file, (text) => {
    if (!/^([0-9a-f]{2})+\s*$/.test(text)) throw new Error('no key in hexadecimal')
    return Buffer.from(text.trim(), 'hex')
  })
  const { verifyDevelopmentEvidence } = await import('../client/enclave/development.ts')
  say('accepting the root of a test PKI: this says nothing of any hardware')
  return (evidence, question) => verifyDevelopmentEvidence(evidence, question, root)
}

export function readFile<Value>(option: string, file: string | undefined, read: (text: string) => Value): Value {
  if (file === undefined) throw new UsageFault(`--${option} FILE is missing`)
  try {
    return read(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageFault(`--${option} ${file}: ${(error as Error).message}`, error)
  }
}

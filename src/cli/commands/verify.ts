import { readFileSync } from 'node:fs'
import { registeredEngine } from '../../client/chain.ts'
import type { Check } from '../../client/enclave/checks.ts'
import type { Verification } from '../../client/enclave/examine.ts'
import { judged } from '../../client/enclave/judgement.ts'
import type { Judge } from '../../client/enclave/judgement.ts'
import { readPolicy } from '../../client/enclave/policy.ts'
import { TlsTransport } from '../../client/tlsTransport.ts'
import { fetchTransport } from '../../client/transport.ts'
import { evidenceOf } from '../../client/verifiedTransport.ts'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'

/** `darkpool verify URL --policy FILE`: whether the venue there is an enclave that the policy accepts, each check with what it found. */
export const verify: Command = async ({ args, place, say }) => {
  const { options, words } = args
  if (words.length > 1) throw new UsageFault('darkpool verify takes one URL')
  const url = words[0] ?? place.url
  if (!URL.canParse(url)) throw new UsageFault(`${url} is no URL`)
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
  const evidence = await evidenceOf(transport, url)
  const verification = await judged(evidence, judgement, await judgeBy(options, say))
  return { text: textOf(verification), json: verification, failed: !verification.ok }
}

async function judgeBy({ 'development-root': file }: Arguments['options'], say: (text: string) => void): Promise<Judge | undefined> {
  if (file === undefined) return undefined
  const root = readFile('development-root', file, (text) => {
    if (!/^([0-9a-f]{2})+\s*$/.test(text)) throw new Error('no key in hexadecimal')
    return Buffer.from(text.trim(), 'hex')
  })
  const { verifyDevelopmentEvidence } = await import('../../client/enclave/development.ts')
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

function textOf({ ok, checks }: Verification): string {
  const width = Math.max(...checks.map(({ name }) => name.length))
  const lines = checks.flatMap((check) => {
    const line = `${stateOf(check).padEnd(11)} ${check.name.padEnd(width)}  ${check.evidence}`
    return check.ok || check.blockedBy !== null ? [line] : [line, `${' '.repeat(width + 14)}${check.meaning}`]
  })
  const count = (state: string): number => checks.filter((check) => stateOf(check) === state).length
  const verdict = ok ? 'verified: this is an enclave that the policy accepts' : 'NOT verified: do not trade there'
  return [...lines, '', `${verdict} (${count('passed')} passed, ${count('FAILED')} failed, ${count('not reached')} not reached)`].join('\n')
}

function stateOf({ ok, blockedBy }: Check): 'passed' | 'FAILED' | 'not reached' {
  return ok ? 'passed' : blockedBy === null ? 'FAILED' : 'not reached'
}

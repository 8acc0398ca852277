import type { Check } from '../../client/enclave/checks.ts'
import type { Verification } from '../../client/enclave/examine.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { lookAt } from '../verification.ts'

/** `darkpool verify URL --policy FILE`: whether the venue there is an enclave that the policy accepts, each check with what it found. */
export const verify: Command = async ({ args, place, say }) => {
  const { options, words } = args
  if (words.length > 1) throw new UsageFault('darkpool verify takes one URL')
  const url = words[0] ?? place.url
  if (!URL.canParse(url)) throw new UsageFault(`${url} is no URL`)
  const { verification } = await lookAt(url, options, say)
  return { text: textOf(verification), json: verification, failed: !verification.ok }
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

import type { AttestationEvidence } from '../../src/protocol/attestation.ts'

/** A stream of whole numbers below a bound, the same for the same seed. */
export function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const alphabet = '0123456789abcdefABCDEFXYZ+/=-_ \n\t\0{}[]":,.é'

/** Other text: a character changed, left out or put in, a stretch left out, said twice or turned round. */
function otherText(text: string, draw: (below: number) => number): string {
  for (;;) {
    const at = draw(text.length + 1)
    const end = Math.min(text.length, at + 1 + draw(40))
    const character = alphabet[draw(alphabet.length)]!
    const other = [
      () => text.slice(0, at) + character + text.slice(at + 1),
      () => text.slice(0, at) + text.slice(at + 1),
      () => text.slice(0, at) + character + text.slice(at),
      () => text.slice(0, at) + text.slice(end),
      () => text.slice(0, end) + text.slice(at),
      () => text.slice(0, at) + [...text.slice(at, end)].reverse().join('') + text.slice(end),
    ][draw(6)]!()
    if (other !== text) return other
  }
}

/** Other bytes of the same length, written in hexadecimal: one bit, one byte, or a stretch of zeros. */
function otherBytes(hex: string, draw: (below: number) => number): string {
  for (;;) {
    const bytes = Buffer.from(hex, 'hex')
    const at = draw(bytes.length)
    if (draw(2) === 0) bytes[at]! ^= 1 << draw(8)
    else if (draw(2) === 0) bytes[at] = draw(256)
    else bytes.fill(0, at, Math.min(bytes.length, at + 1 + draw(64)))
    const other = bytes.toString('hex')
    if (other !== hex) return other
  }
}

/** The same evidence, but for one random change of quote, event log, compose file or collateral that makes it say something else. */
export function otherEvidence(evidence: AttestationEvidence & { readonly collateral: object }, draw: (below: number) => number): { readonly what: string; readonly evidence: unknown } {
  const part = draw(4)
  if (part === 0) return { what: 'quote', evidence: { ...evidence, quote: (draw(4) === 0 ? otherText : otherBytes)(evidence.quote, draw) } }
  if (part === 1) return { what: 'log', evidence: { ...evidence, eventLog: otherLog(evidence.eventLog, draw) } }
  if (part === 2) return { what: 'compose', evidence: { ...evidence, appCompose: otherText(evidence.appCompose, draw) } }
  const members = Object.keys(evidence.collateral) as (keyof typeof evidence.collateral)[]
  const member = members[draw(members.length)]!
  if (draw(20) === 0) return { what: `no ${member}`, evidence: { ...evidence, collateral: { ...evidence.collateral, [member]: undefined } } }
  const text: string = evidence.collateral[member]
  const inBytes = /^([0-9a-f]{2})+$/.test(text) && draw(4) !== 0
  return { what: member, evidence: { ...evidence, collateral: { ...evidence.collateral, [member]: (inBytes ? otherBytes : otherText)(text, draw) } } }
}

type Log = AttestationEvidence['eventLog']

function otherLog(log: Log, draw: (below: number) => number): unknown[] {
  const [one, two] = [draw(log.length), draw(log.length)]
  const event = log[one]!
  if (draw(2) === 0) {
    const member = (['digest', 'event', 'event_payload'] as const).filter((name) => event[name] !== '')[draw(2)] ?? 'event'
    return log.map((each, at) => (at === one ? { ...event, [member]: otherText(event[member], draw) } : each))
  }
  const ways: (() => unknown[])[] = [
    () => log.filter((_, at) => at !== one),
    () => [...log.slice(0, two), event, ...log.slice(two)],
    () => (one === two ? [] : log.map((each, at) => (at === one ? log[two]! : at === two ? event : each))),
    () => log.map((each, at) => (at === one ? { ...event, imr: draw(3) } : each)),
    () => log.map((each, at) => (at === one ? { ...event, event_type: draw(0x7fff_ffff) } : each)),
    () => log.slice(0, one),
  ]
  return ways[draw(ways.length)]!()
}

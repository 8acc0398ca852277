/** What a trader signs: every member is a string. */
export type SignedMembers = Readonly<Record<string, string>>

/** What canonical JSON is made of here. Numbers are whole. */
export type Canonical = string | number | readonly Canonical[] | { readonly [name: string]: Canonical }

/**
 * The canonical JSON (RFC 8785) of an object: members sorted by UTF-16 code units, no white space, strings escaped and numbers written as ECMAScript's JSON.stringify does, which RFC 8785
 * sections 3.2.2.2 and 3.2.2.3 prescribe.
 */
export function canonicalJson(members: { readonly [name: string]: Canonical }): string {
  const names = Object.keys(members).sort()
  let text = '{'
  for (const name of names) text += `${text.length > 1 ? ',' : ''}${JSON.stringify(name)}:${textOf(members[name]!)}`
  return `${text}}`
}

/** What JSON.stringify may write in another way than it stands. */
const escaped = /["\\\u0000-\u001f\ud800-\udfff]/

/** The names of the members that were written last, as they came and in their order, and what stands before the value of each. */
let shape: { readonly given: readonly string[]; readonly sorted: readonly string[]; readonly heads: readonly string[] } = { given: [], sorted: [], heads: [] }

/**
 * The same of members that are all strings: the form of every signed message, of which most have the names of the one before and nothing to escape. Checking every
 * order by its id, a gateway would spend more on the general way than on the digest.
 */
export function canonicalText(members: SignedMembers): string {
  const given = Object.keys(members)
  if (given.length === 0) return '{}'
  if (!sameNames(given, shape.given)) {
    const sorted = [...given].sort()
    shape = { given, sorted, heads: sorted.map((name, n) => `${n === 0 ? '{' : '",'}${JSON.stringify(name)}:"`) }
  }
  const { sorted, heads } = shape
  let text = ''
  for (let n = 0; n < sorted.length; n++) {
    const value = members[sorted[n]!]!
    if (escaped.test(value)) return canonicalJson(members)
    text += heads[n]! + value
  }
  return `${text}"}`
}

function sameNames(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false
  for (let n = 0; n < some.length; n++) if (some[n] !== others[n]) return false
  return true
}

function textOf(value: Canonical): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new Error('a number in canonical JSON is whole')
    return JSON.stringify(value)
  }
  return isList(value) ? `[${value.map(textOf).join(',')}]` : canonicalJson(value)
}

function isList(value: readonly Canonical[] | { readonly [name: string]: Canonical }): value is readonly Canonical[] {
  return Array.isArray(value)
}

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

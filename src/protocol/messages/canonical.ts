/** What a trader signs: every member is a string. */
export type SignedMembers = Readonly<Record<string, string>>

/**
 * The canonical JSON (RFC 8785) of an object whose members are all strings: members sorted by UTF-16 code units, no white space,
 * strings escaped as ECMAScript's JSON.stringify does, which RFC 8785 section 3.2.2.2 prescribes.
 */
export function canonicalJson(members: SignedMembers): string {
  const names = Object.keys(members).sort()
  let text = '{'
  for (const name of names) text += `${text.length > 1 ? ',' : ''}${JSON.stringify(name)}:${JSON.stringify(members[name])}`
  return `${text}}`
}

/** Rows under a heading, columns as wide as they need be; numbers, which end with digits, to the right. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const right = heading.map((_, column) => rows.length > 0 && rows.every((row) => /^-?[0-9.]+$|^—$/.test(row[column]!)))
  const line = (row: readonly string[]): string => row.map((cell, column) => (right[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join('  ').trimEnd()
  return [heading, ...rows].map(line).join('\n')
}

/** Names and what they are, one to a line. */
export function facts(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')
}

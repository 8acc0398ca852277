import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import t from 'tap'

// What the client's files may lean on: themselves, in one direction, and the protocol.

const source = resolve(import.meta.dirname, '../../src')
const client = join(source, 'client')
const files = readdirSync(client, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => join(client, name))
/** The files that one names, for code or for types. */
const named = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^(?:import|export) .*from '(\.[^']+)'$/gm)].map(([, name]) => join(dirname(file), name!))

t.test('the client leans on the protocol alone', async (t) => {
  for (const file of files) for (const other of named(file)) t.match(relative(source, other), /^(client|protocol)\//, relative(source, file))
})

t.test('no file leads back to itself', async (t) => {
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].map((one) => relative(client, one)).join(' → '))
    if (done.has(file) || path.includes(file)) return
    for (const other of named(file)) if (other.startsWith(client)) visit(other, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  t.ok(files.length > 10)
  t.same(circles, [])
})

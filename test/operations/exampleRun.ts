import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readArguments } from '../../src/cli/arguments.ts'
import type { Command } from '../../src/cli/command.ts'
import { Place } from '../../src/cli/place.ts'

export interface Ran {
  readonly text: string
  readonly json: Record<string, unknown>
  /** What people were told meanwhile. */
  readonly said: string
  readonly failed: boolean
}

/** Runs a command as the command line does, without a process of its own. @param args all words after `darkpool` */
export async function ran(command: Command, args: readonly string[]): Promise<Ran> {
  const read = readArguments([...args])
  const said: string[] = []
  const outcome = await command({ args: read, place: new Place(read), show: ({ text }) => void said.push(text), say: (text) => void said.push(text) })
  if (outcome === null) throw new Error('a command that shows as it goes')
  return { text: outcome.text, json: JSON.parse(JSON.stringify(outcome.json)) as Record<string, unknown>, said: said.join('\n'), failed: outcome.failed === true }
}

/** The lines of a page's examples that begin with `npx darkpool`. */
export function examplesOf(page: string): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8')
  return [...text.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block]) => block!.split('\n').map((line) => line.trimStart()).filter((line) => line.startsWith('npx darkpool ')))
}

/** An example's words, with the shell's variables and quotes, and the file that its output goes to. */
export function wordsOf(line: string, variables: Readonly<Record<string, string>>): { readonly words: readonly string[]; readonly into: string | null } {
  const [command = '', into = null] = line.split(' > ')
  const words = command.split(' ').slice(2).map((word) =>
    word.replace(/^"(.*)"$/, '$1').replace(/\$([A-Z_]+)/g, (_, name: string) => {
      const value = variables[name]
      if (value === undefined) throw new Error(`an example has a variable ${name} that the test does not know`)
      return value
    }),
  )
  return { words, into }
}

/** Runs an example, and puts its output where it says. */
export async function example(command: Command, line: string, variables: Readonly<Record<string, string>>): Promise<Ran> {
  const { words, into } = wordsOf(line, variables)
  const done = await ran(command, words)
  if (into !== null) writeFileSync(into, `${done.text}\n`)
  return done
}

import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** Asks for a secret on standard error, so that what a script reads stays clean; what is typed is not shown. Without a terminal, the first line of standard input is it. */
export async function askSecret(question: string): Promise<string> {
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: process.stdin.isTTY })
  try {
    for await (const line of lines) return line.trim()
    return ''
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}

/** Something that the person at the keyboard can put right: printed as it stands, without a stack, and the program ends with code 1. */
export class Fault extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Fault'
  }
}

/** What a failed program leaves open (a connection that reconnects, a timer) does not keep it alive for longer than this. */
const LINGER_ms = 1_000

/** Runs a program's main function; its number is the exit code. A Fault is one sentence, anything else is a bug and shows where. */
export async function main(program: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await program()
  } catch (error) {
    process.exitCode = 1
    if (error instanceof Fault) process.stderr.write(`\n${error.message}\n`)
    else process.stderr.write(`\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  }
  setTimeout(() => process.exit(), LINGER_ms).unref()
}

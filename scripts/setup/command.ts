import { spawn } from 'node:child_process'
import { StringDecoder } from 'node:string_decoder'

/** Kept of a command's output, in characters: enough to see why it failed. */
const OUTPUT_LIMIT = 400_000

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** The command and all it started are killed after this. */
  readonly timeout_ms: number
  /** Every line of both outputs, as it comes. */
  readonly line?: (text: string) => void
}

export interface CommandResult {
  /** null where it was killed, or could not be started. */
  readonly code: number | null
  readonly missing: boolean
  readonly timedOut: boolean
  /** Both outputs as they came; the beginning is cut off where it is long. */
  readonly output: string
}

/** Runs a command to its end. Never throws for what the command did. */
export async function runCommand(command: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  return new Promise((resolve) => {
    // A process group of its own, so that a timeout ends the compilers behind cargo as well.
    const child = spawn(command, args, { cwd: options.cwd, env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let output = ''
    let timedOut = false
    const killGroup = (): void => {
      if (child.pid === undefined) return
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
    // The group does not hear the terminal's Ctrl-C: pass it on.
    let leaving = false
    const interrupted = (): void => {
      leaving = true
      killGroup()
      // Commands that run beside this one hear it as well, each for its own group.
      setImmediate(() => process.exit(130))
    }
    process.once('SIGINT', interrupted)
    process.once('SIGTERM', interrupted)
    const timer = setTimeout(() => {
      timedOut = true
      killGroup()
    }, options.timeout_ms)
    for (const stream of [child.stdout, child.stderr]) {
      const decoder = new StringDecoder('utf8')
      let rest = ''
      stream.on('data', (chunk: Buffer) => {
        const text = decoder.write(chunk)
        output = (output + text).slice(-OUTPUT_LIMIT)
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) options.line?.(line)
      })
      stream.on('end', () => {
        if (rest !== '') options.line?.(rest)
      })
    }
    const finish = (code: number | null, missing: boolean): void => {
      // Whoever waits would go on with the next command.
      if (leaving) return
      clearTimeout(timer)
      process.off('SIGINT', interrupted)
      process.off('SIGTERM', interrupted)
      resolve({ code, missing, timedOut, output })
    }
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return
      output += String(error)
      finish(null, error.code === 'ENOENT')
    })
    child.once('close', (code) => finish(code, false))
  })
}

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/**
 * A process, told from another one that has its number after it: by when it started. Nothing is ever ended by number or name alone.
 */
export interface ProcessIdentity {
  readonly pid: number
  readonly started: string
}

/** undefined where no such process runs. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const started = existsSync('/proc/self/stat') ? startedByProc(pid) : startedByPs(pid)
  return started === undefined ? undefined : { pid, started }
}

export const isAlive = (process: ProcessIdentity): boolean => identityOf(process.pid)?.started === process.started

function startedByProc(pid: number): string | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // proc(5): the name, in parentheses, may hold anything; after it come state (3rd) … starttime (22nd, in ticks since boot).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A zombie runs no more.
  return fields[0] === 'Z' ? undefined : fields[19]
}

function startedByPs(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
  } catch {
    return undefined
  }
}

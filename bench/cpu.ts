import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks per second of /proc on Linux (sysconf(_SC_CLK_TCK) is 100 on every architecture Node runs on). */
const TICKS_PER_SECOND = 100

/** CPU time that processes have used so far, user and system, all threads, in seconds. */
export function cpuSeconds(pids: Readonly<Record<string, number | undefined>>): Record<string, number> {
  const seconds: Record<string, number> = {}
  for (const [name, pid] of Object.entries(pids)) {
    if (pid === undefined) throw new Error(`${name} does not run`)
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // proc(5): utime and stime are fields 14 and 15; the second field, the command in parentheses, may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    seconds[name] = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  }
  return seconds
}

/** CPU time that the threads of a process that live have used so far, in seconds, by their names: those that share one count together. */
export function threadSeconds(pid: number | undefined): Record<string, number> {
  if (pid === undefined) throw new Error('a process whose threads are asked for does not run')
  const seconds: Record<string, number> = {}
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const name = readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim()
      // The first number is the time on a CPU, in nanoseconds (Documentation/scheduler/sched-stats.rst of the kernel).
      const [ran_ns] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
      seconds[name] = (seconds[name] ?? 0) + Number(ran_ns) / 1e9
    } catch (error) {
      // It has ended since it was listed.
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
  return seconds
}

import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

/** Read at a time; the next piece begins so much before the end of this one that nothing that is looked for lies across. */
const PIECE_BYTES = 64 * 1_024 * 1_024
const OVERLAP_BYTES = 128

/** All that a process may write to and that stands in its memory now: what a core of it would hold. Each piece is good until the next one. */
export function* memoryOf(pid: number, name: string): Generator<readonly [where: string, bytes: Buffer]> {
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  const piece = Buffer.allocUnsafe(PIECE_BYTES)
  try {
    for (const [from, to] of writable(pid)) {
      for (let at = from; at < to; at += PIECE_BYTES - OVERLAP_BYTES) {
        const length = read(memory, piece, at, Math.min(PIECE_BYTES, to - at))
        if (length > 0) yield [name, piece.subarray(0, length)]
      }
    }
  } finally {
    closeSync(memory)
  }
}

/** Regions that are there and of which something stands in memory. */
function writable(pid: number): (readonly [number, number])[] {
  const regions: (readonly [number, number])[] = []
  let region: readonly [number, number] | null = null
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    const [, from, to, may] = /^([0-9a-f]+)-([0-9a-f]+) (\S+) /.exec(line) ?? []
    if (from !== undefined && to !== undefined) region = may!.startsWith('rw') ? [parseInt(from, 16), parseInt(to, 16)] : null
    else if (region !== null && /^Rss: +[1-9]/.test(line)) regions.push(region)
  }
  return regions
}

/** 0 where it is gone by now: the process goes on meanwhile. */
function read(memory: number, into: Buffer, at: number, length: number): number {
  try {
    return readSync(memory, into, 0, length, at)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EIO' || (error as NodeJS.ErrnoException).code === 'EFAULT') return 0
    throw error
  }
}

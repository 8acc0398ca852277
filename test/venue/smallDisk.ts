import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Start } from '../../scripts/venue/programs.ts'

const namespaces = ['--user', '--map-root-user', '--mount'] as const

/**
 * A file system of a few megabytes in a folder, which only those see who are started in it: a tmpfs in a mount namespace of its own. It outlives the programs in
 * it, so that one that is killed finds what it wrote.
 */
export class SmallDisk {
  /** The command that starts a program in it. */
  readonly within: Start
  readonly #holder: ChildProcess
  readonly #folder: string

  private constructor(holder: ChildProcess, folder: string, bytes: number) {
    this.#holder = holder
    this.#folder = folder
    // The first to be started finds nothing there, and mounts it.
    const enter = `mkdir -p "$0" && { mountpoint -q "$0" || mount -t tmpfs -o size=${bytes} none "$0"; } && exec "$@"`
    this.within = ['nsenter', '--target', String(holder.pid), '--user', '--preserve-credentials', '--mount', 'sh', '-c', enter, folder]
  }

  /** Null where this machine lets nobody mount anything. */
  static async open(folder: string, bytes: number): Promise<SmallDisk | null> {
    const { status } = spawnSync('unshare', [...namespaces, 'sh', '-c', 'mount -t tmpfs -o size=1m none /tmp'], { stdio: 'ignore' })
    if (status !== 0) return null
    // Ends with the test, whose end closes its input.
    const holder = spawn('unshare', [...namespaces, 'sh', '-c', 'echo there; exec cat'], { stdio: ['pipe', 'pipe', 'ignore'] })
    await once(holder.stdout, 'data')
    return new SmallDisk(holder, folder, bytes)
  }

  /** To the last byte. */
  fill(): void {
    const ballast = Buffer.alloc(1_048_576)
    for (;;) {
      const { bavail, bsize } = statfsSync(this.#inside())
      if (bavail === 0) return
      writeFileSync(this.#inside('ballast'), ballast.subarray(0, Math.min(bavail * bsize, ballast.length)), { flag: 'a' })
    }
  }

  /** Gives back what `fill` took. */
  free(): void {
    rmSync(this.#inside('ballast'))
  }

  close(): void {
    this.#holder.kill('SIGKILL')
  }

  #inside(...names: string[]): string {
    return join(`/proc/${this.#holder.pid}/root`, this.#folder, ...names)
  }
}

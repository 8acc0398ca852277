import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DebianPackages } from '../image/debian.ts'
import { paths } from './paths.ts'

/** Prometheus' own checker of rules, and runner of their tests. */
export const promtool = join(dirname(paths.natsServer), 'promtool')

const scratch = join(paths.root, '.darkpool', 'promtool')

/** Puts it at .darkpool/bin, out of the package that this machine's Debian has: building it takes Prometheus whole, which takes minutes. */
export async function installPromtool(note: (text: string) => void): Promise<string> {
  if (existsSync(promtool)) return 'kept'
  try {
    const debian = new DebianPackages(join(scratch, 'downloads'), note)
    const found = await debian.current(['prometheus'])
    await debian.unpack(found, join(scratch, 'root'))
    mkdirSync(dirname(promtool), { recursive: true })
    copyFileSync(join(scratch, 'root', 'usr', 'bin', 'promtool'), `${promtool}.new`)
    renameSync(`${promtool}.new`, promtool)
    return `of Debian’s prometheus ${found[0]!.version}`
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../setup/command.ts'
import { Fault } from '../setup/fault.ts'
import type { LockedFile } from './lock.ts'

const TIMEOUT_ms = 600_000
const ARCHITECTURE = 'amd64'

/** The mirrors have let a locked version go: they keep what is current alone. */
export class Gone extends Fault {
  constructor({ name, version }: LockedFile) {
    super(`The Debian mirrors of this machine do not have ${name} ${version} any more: \`npm run image -- --lock\` takes what they have, and makes another image of it.`)
    this.name = 'Gone'
  }
}

/** Debian's packages, by way of apt: it knows the machine's mirrors and checks the signatures of their lists. Needs no root: lists and files are kept in a folder of its own. */
export class DebianPackages {
  readonly #cache: string
  readonly #note: (text: string) => void

  constructor(cache: string, note: (text: string) => void) {
    this.#cache = cache
    this.#note = note
  }

  /** What the mirrors have now. */
  async current(names: readonly string[]): Promise<LockedFile[]> {
    await this.#update()
    const found: LockedFile[] = []
    for (const name of names) {
      const shown = await this.#run('apt-cache', ['show', '--no-all-versions', `${name}:${ARCHITECTURE}`])
      const field = (key: string): string => {
        const value = new RegExp(`^${key}: (.+)$`, 'm').exec(shown)?.[1]
        if (value === undefined) throw new Fault(`apt does not say the ${key} of the Debian package ${name}`)
        return value
      }
      found.push({ name, version: field('Version'), sha256: field('SHA256') })
    }
    return found
  }

  /** Unpacks exactly the locked packages into `root`. Nothing of theirs is run. */
  async unpack(locked: readonly LockedFile[], root: string): Promise<void> {
    mkdirSync(root, { recursive: true })
    for (const one of locked) {
      const file = join(this.#cache, fileName(one))
      if (!existsSync(file)) {
        await this.#update()
        this.#note(one.name)
        if (!(await this.#versions(one.name)).includes(one.version)) throw new Gone(one)
        await this.#run('apt-get', ['download', `${one.name}:${ARCHITECTURE}=${one.version}`])
      }
      const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex')
      if (sha256 !== one.sha256) throw new Fault(`${file} is not the Debian package that deploy/image/lock.json names: its SHA-256 is ${sha256}. Remove it and try again.`)
      await this.#run('dpkg-deb', ['--extract', file, root])
    }
  }

  async #versions(name: string): Promise<string[]> {
    const listed = await this.#run('apt-cache', ['madison', `${name}:${ARCHITECTURE}`])
    return listed.split('\n').map((line) => line.split('|')[1]?.trim() ?? '')
  }

  #updated = false
  async #update(): Promise<void> {
    if (this.#updated) return
    this.#note('lists')
    for (const folder of ['lists/partial', 'archives/partial']) mkdirSync(join(this.#cache, 'apt', folder), { recursive: true })
    await this.#run('apt-get', ['update', '--quiet'])
    this.#updated = true
  }

  async #run(command: string, args: readonly string[]): Promise<string> {
    mkdirSync(this.#cache, { recursive: true })
    const own = command.startsWith('apt-') ? ['-o', `Dir::State=${join(this.#cache, 'apt')}`, '-o', `Dir::Cache=${join(this.#cache, 'apt')}`, '-o', 'Debug::NoLocking=1', '-o', 'APT::Sandbox::User=root'] : []
    const { code, missing, output } = await runCommand(command, [...own, ...args], { cwd: this.#cache, timeout_ms: TIMEOUT_ms })
    if (missing) throw new Fault(`${command} is not on this machine: the image is built on Debian 12 or a system with its apt.`)
    if (code !== 0) throw new Fault(`${command} ${args.join(' ')} failed:\n${output.trim().slice(-2_000)}`)
    return output
  }
}

/** As `apt-get download` names it: a colon of the version is written as an escape. */
const fileName = ({ name, version }: LockedFile): string => `${name}_${version.replaceAll(':', '%3a')}_${ARCHITECTURE}.deb`

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NATS_VERSION } from '../setup/natsServer.ts'
import type { ImageLock } from './lock.ts'

interface Hash {
  readonly alg: 'SHA-256' | 'SHA-512'
  readonly content: string
}

interface Component {
  readonly type: 'library' | 'application' | 'operating-system'
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly hashes?: readonly Hash[]
}

/** What the image is made of, as CycloneDX 1.5: Debian packages, Node.js, npm packages, nats-server and the Go modules in it. Sorted, and without a serial number or a date, so that the same image has the same list. */
export function billOfMaterials({ base, packages }: { readonly base: string; readonly packages: string }, lock: ImageLock): string {
  const components = [...debian(lock), ...node(lock), ...npm(join(packages, 'app', 'package-lock.json')), ...go(join(base, 'usr', 'local', 'bin', 'nats-server'))]
  const sorted = components.toSorted((a, b) => (a.purl < b.purl ? -1 : a.purl > b.purl ? 1 : 0))
  return `${JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, components: sorted }, null, 1)}\n`
}

const sha256 = (content: string): readonly Hash[] => [{ alg: 'SHA-256', content }]

const debian = ({ debian }: ImageLock): Component[] =>
  debian.map(({ name, version, sha256: digest }) => ({ type: 'library', name, version, purl: `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=amd64`, hashes: sha256(digest) }))

const node = ({ node: { version, sha256: digest } }: ImageLock): Component[] => [{ type: 'application', name: 'node', version, purl: `pkg:generic/node@${version}`, hashes: sha256(digest) }]

interface LockedPackage {
  readonly version?: string
  readonly integrity?: string
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
}

function npm(lockFile: string): Component[] {
  const { packages } = JSON.parse(readFileSync(lockFile, 'utf8')) as { packages: Readonly<Record<string, LockedPackage>> }
  const runsHere = ({ os, cpu }: LockedPackage): boolean => (os?.includes('linux') ?? true) && (cpu?.includes('x64') ?? true)
  const found = new Map<string, Component>()
  for (const [path, one] of Object.entries(packages)) {
    const name = path.split('node_modules/').at(-1) ?? ''
    if (name === '' || one.version === undefined || one.dev === true || !runsHere(one)) continue
    const purl = `pkg:npm/${name.replace('@', '%40')}@${one.version}`
    const [algorithm, digest] = one.integrity?.split('-') ?? []
    const hashes = algorithm === 'sha512' && digest !== undefined ? [{ alg: 'SHA-512' as const, content: Buffer.from(digest, 'base64').toString('hex') }] : undefined
    found.set(purl, { type: 'library', name, version: one.version, purl, ...(hashes && { hashes }) })
  }
  return [...found.values()]
}

/** What Go's linker wrote into the binary about itself. */
function go(binary: string): Component[] {
  const modules = execFileSync('go', ['version', '-m', binary], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([kind]) => kind === 'dep')
    .map(([, name = '', version = '']): Component => ({ type: 'library', name, version, purl: `pkg:golang/${name}@${version}` }))
  return [{ type: 'application', name: 'nats-server', version: NATS_VERSION, purl: `pkg:golang/github.com/nats-io/nats-server/v2@v${NATS_VERSION}` }, ...modules]
}

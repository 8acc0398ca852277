import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { paths } from '../setup/paths.ts'

/** A file that goes into the image as it was published: what it is, and what it must hash to. */
export interface LockedFile {
  readonly name: string
  readonly version: string
  /** Of the published file, in hexadecimal digits. */
  readonly sha256: string
}

/** What the image takes from outside, beside the npm packages (package-lock.json has their hashes) and nats-server (Go's checksum database has its). */
export interface ImageLock {
  /** Debian packages, whole: there is no resolver, so their dependencies stand here too. */
  readonly debian: readonly LockedFile[]
  /** The Node.js binary: the npm package `node` fetches it with an install script, for which package-lock.json has no hash. */
  readonly node: LockedFile
}

const lockFile = join(paths.root, 'deploy', 'image', 'lock.json')

export const readLock = (): ImageLock => JSON.parse(readFileSync(lockFile, 'utf8')) as ImageLock

export const writeLock = (lock: ImageLock): void => writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`)

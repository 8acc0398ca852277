import { createHash, randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Keys } from '../keys.ts'
import { KeyChain } from './keyChain.ts'

const APP_ID_BYTES = 20
/** The app that every development venue is: an app's keys depend on its id. */
export const DEVELOPMENT_APP_ID: Uint8Array = createHash('sha256').update('darkpool development').digest().subarray(0, APP_ID_BYTES)

/** The keys that the development guest agent gives, from the same file: one random root key that only its owner may read. The file is made at first use. */
export function developmentKeys(rootFile: string): Keys {
  const chain = developmentChain(rootFile)
  return { secret: async (path) => chain.key(path) }
}

export const developmentChain = (rootFile: string): KeyChain => new KeyChain(developmentRoot(rootFile), DEVELOPMENT_APP_ID)

export function developmentRoot(file: string): Buffer {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const descriptor = openSync(file, 'wx', 0o600)
    writeSync(descriptor, `${randomBytes(32).toString('hex')}\n`)
    fsyncSync(descriptor)
    closeSync(descriptor)
  }
  const text = readFileSync(file, 'utf8').trim()
  if (!/^[0-9a-f]{64}$/.test(text)) throw new Error(`${file} is not a development root key (64 hex digits)`)
  return Buffer.from(text, 'hex')
}

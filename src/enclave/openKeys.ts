import type { VenueFile } from '../protocol/venue.ts'
import { KeyLink } from './holder/keyLink.ts'
import type { Keys } from './keys.ts'

const SOCKET = /^unix:(.+)$/

/**
 * The keys that `--keys` names: `unix:PATH` is the key holder's socket for this process; anything else the root file of a development venue, which a venue
 * in an enclave does not take, and the production image has no program for.
 * @throws Error with one clear sentence
 */
export async function openKeys(where: string, { enclave }: Pick<VenueFile, 'enclave'>): Promise<Keys> {
  const socket = SOCKET.exec(where)?.[1]
  if (socket !== undefined) return new KeyLink(socket)
  if (enclave?.kind === 'dstack') throw new Error('--keys: a venue in an enclave takes its keys from the key holder (unix:SOCKET), not from a file')
  return fileKeys(where)
}

/** @throws Error where this is no development build */
export async function fileKeys(file: string): Promise<Keys> {
  let development: { developmentKeys(file: string): Keys }
  try {
    development = await import('./simulator/developmentKeys.ts')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error('this build takes no development keys', { cause: error })
  }
  return development.developmentKeys(file)
}

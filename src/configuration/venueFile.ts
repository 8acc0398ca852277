import { readFileSync } from 'node:fs'
import { readVenue } from '../protocol/venue.ts'
import type { Venue } from '../protocol/venue.ts'

const ENVIRONMENT = /^env:([A-Z][A-Z0-9_]{0,63})$/

/**
 * The venue that `--venue` names: a file, or `env:NAME`, the environment variable that holds its text (a container whose file system is read-only can be given no file).
 * Nothing in it is secret.
 * @throws Error with one clear sentence
 */
export function openVenue(where: string): Venue {
  const json = venueJson(where)
  try {
    return readVenue(json)
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error })
  }
}

/** What `--venue` names, before anybody has looked at what it says. @throws Error with one clear sentence where it cannot be read, or is no JSON */
export const venueJson = (where: string): unknown => parsed(where, textOf(where))

function textOf(where: string): string {
  const variable = ENVIRONMENT.exec(where)?.[1]
  if (variable !== undefined) {
    const text = process.env[variable]
    if (text === undefined) throw new Error(`there is no venue in the environment variable ${variable}`)
    return text
  }
  try {
    return readFileSync(where, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new Error(`there is no venue file ${where}`, { cause: error })
    throw new Error(`the venue file ${where} cannot be read (${code})`, { cause: error })
  }
}

function parsed(where: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`the venue file ${where} is not JSON`, { cause: error })
  }
}

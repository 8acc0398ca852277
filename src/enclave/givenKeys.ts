import type { Keys } from './keys.ts'

/** Secrets by their paths, as one part of a process hands them to another. */
export type Secrets = Readonly<Record<string, Uint8Array>>

export async function gather(keys: Keys, paths: readonly string[]): Promise<Secrets> {
  return Object.fromEntries(await Promise.all([...new Set(paths)].map(async (path) => [path, await keys.secret(path)] as const)))
}

/** Of all that there is, those of some paths. @throws Error where one is missing */
export function pick(secrets: Secrets, paths: readonly string[]): Secrets {
  return Object.fromEntries(paths.map((path) => [path, given(secrets, path)]))
}

/** The keys of whoever was handed these secrets, and no others. */
export const givenKeys = (secrets: Secrets): Keys => ({ secret: async (path) => given(secrets, path) })

function given(secrets: Secrets, path: string): Uint8Array {
  const secret = Object.hasOwn(secrets, path) ? secrets[path] : undefined
  if (secret === undefined) throw new Error(`the key ${path} is not for this part of the venue`)
  return secret
}

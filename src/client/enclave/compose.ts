import { parseAllDocuments } from 'yaml'
import { IMAGE_PATTERN } from './policy.ts'

type Members = Readonly<Record<string, unknown>>

const pinned = new RegExp(IMAGE_PATTERN)
/** By each of these a service would run something that no digest in it says. */
const unpinned = ['build', 'extends', 'provider'] as const

/** app-compose.json, read. @throws Error where it is no object */
export function readAppCompose(text: string): Members {
  const compose: unknown = JSON.parse(text)
  if (!isMembers(compose)) throw new Error('app-compose.json is no object')
  return compose
}

/** The images of every service of the compose file in app-compose.json, each by its digest. @throws Error that names the service which is not */
export function imagesOf({ runner, docker_compose_file: file }: Members): readonly string[] {
  if (runner !== 'docker-compose') throw new Error('app-compose.json is not run by docker-compose')
  if (typeof file !== 'string') throw new Error('app-compose.json has no compose file')
  const documents = parseAllDocuments(file, { merge: true, uniqueKeys: true })
  const [document, second] = Array.isArray(documents) ? documents : []
  if (document === undefined || second !== undefined) throw new Error('the compose file is not one YAML document')
  if (document.errors.length + document.warnings.length > 0) throw new Error('the compose file is not plain YAML')
  const compose: unknown = document.toJS({ maxAliasCount: 100 })
  if (!isMembers(compose) || !isMembers(compose.services)) throw new Error('the compose file has no services')
  if (compose.include !== undefined) throw new Error('the compose file includes others')
  const images = Object.entries(compose.services).flatMap(([name, service]) => (isMembers(service) ? imagesIn(name, service) : fail(`service ${name} is none`)))
  if (images.length === 0) throw new Error('the compose file has no services')
  return [...new Set(images)]
}

function imagesIn(name: string, service: Members): readonly string[] {
  for (const member of unpinned) if (service[member] !== undefined) throw new Error(`service ${name} has ${member}, which no digest pins`)
  const mounted = Array.isArray(service.volumes) ? service.volumes.filter((volume): volume is Members => isMembers(volume) && volume.type === 'image').map(({ source }) => source) : []
  return [service.image, ...mounted].map((image) => (typeof image === 'string' && pinned.test(image) ? image : fail(`service ${name} has an image without a digest`)))
}

/** @throws Error where the VM would show what it writes, or take keys from elsewhere than the KMS */
export function assertClosed(compose: Members): void {
  for (const open of ['public_logs', 'public_sysinfo'] as const) if (compose[open] !== false) throw new Error(`${open} is not off, and is on unless it is off`)
  if (compose.kms_enabled !== true) throw new Error('kms_enabled is not on')
  if (compose.local_key_provider_enabled !== undefined && compose.local_key_provider_enabled !== false) throw new Error('local_key_provider_enabled is on')
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fail(sentence: string): never {
  throw new Error(sentence)
}

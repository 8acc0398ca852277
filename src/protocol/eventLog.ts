// dstack's runtime events, and how they are measured into RTMR3.

/** Type of the events that dstack measures while the VM runs. */
export const RUNTIME_EVENT = 0x0800_0001
export const REGISTER_BYTES = 48

/** Events that say what runs, by the boundary before which they count: whatever comes later may be the application's own. */
export const bootEvents = {
  'boot-mr-done': ['app-id', 'compose-hash', 'instance-id'],
  'system-ready': ['os-image-hash', 'key-provider'],
} as const
export type Boundary = keyof typeof bootEvents
export type BootEvent = (typeof bootEvents)[Boundary][number]

/** SHA-384 over the type (u32, little-endian), ":", name, ":", payload. */
export async function eventDigest(name: string, payload: Uint8Array): Promise<Uint8Array> {
  const heading = new TextEncoder().encode(`:${name}:`)
  const bytes = new Uint8Array(4 + heading.length + payload.length)
  new DataView(bytes.buffer).setUint32(0, RUNTIME_EVENT, true)
  bytes.set(heading, 4)
  bytes.set(payload, 4 + heading.length)
  return sha384(bytes)
}

/** What a register holds once these digests have been measured into it: from 48 zero bytes, SHA-384 over the register and the digest. */
export async function replayed(digests: readonly Uint8Array[]): Promise<Uint8Array> {
  let register = new Uint8Array(REGISTER_BYTES)
  for (const digest of digests) {
    const bytes = new Uint8Array(REGISTER_BYTES + digest.length)
    bytes.set(register)
    bytes.set(digest, REGISTER_BYTES)
    register = await sha384(bytes)
  }
  return register
}

async function sha384(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-384', bytes))
}

import { createHash } from 'node:crypto'
import type { RuntimeEvent } from '../../protocol/attestation.ts'
import { eventDigest, replayed, RUNTIME_EVENT } from '../../protocol/eventLog.ts'

/** What a dstack guest measures while it boots. Hexadecimal. */
export interface Boot {
  readonly appId: string
  /** app-compose.json as it is: its hash is measured. */
  readonly appCompose: string
  readonly instanceId: string
  readonly osImageHash: string
  /** Of the KMS: DER of its public key. */
  readonly keyProvider: { readonly name: string; readonly id: string }
}

/** The events of a boot, in dstack's order: name, payload. */
export function bootSequence({ appId, appCompose, instanceId, osImageHash, keyProvider }: Boot): [string, Buffer][] {
  const empty = Buffer.alloc(0)
  return [
    ['system-preparing', empty],
    ['app-id', Buffer.from(appId, 'hex')],
    ['compose-hash', createHash('sha256').update(appCompose).digest()],
    ['instance-id', Buffer.from(instanceId, 'hex')],
    ['boot-mr-done', empty],
    ['mr-kms', createHash('sha256').update(keyProvider.id).digest()],
    ['os-image-hash', Buffer.from(osImageHash, 'hex')],
    ['key-provider', Buffer.from(JSON.stringify({ name: keyProvider.name, id: keyProvider.id }))],
    ['storage-fs', Buffer.from('zfs')],
    ['system-ready', empty],
  ]
}

/** @returns the log, and the RTMR3 that it comes to, in hexadecimal */
export async function bootLog(sequence: readonly (readonly [string, Buffer])[]): Promise<{ readonly log: RuntimeEvent[]; readonly rtmr3: string }> {
  const digests = await Promise.all(sequence.map(([name, payload]) => eventDigest(name, payload)))
  const log = sequence.map(([event, payload], at): RuntimeEvent => ({ imr: 3, event_type: RUNTIME_EVENT, digest: hexOf(digests[at]!), event, event_payload: hexOf(payload) }))
  return { log, rtmr3: hexOf(await replayed(digests)) }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

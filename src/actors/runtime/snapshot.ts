import { createHash } from 'node:crypto'
import { decode, encode } from '../../protocol/codec.ts'
import type { Milliseconds } from '../../protocol/identity.ts'
import type { Envelope } from './envelope.ts'
import type { FeedState } from './feed.ts'
import { JournalFault } from './journalFault.ts'
import type { LinksState } from './links.ts'
import { sentence } from './log.ts'
import type { Random } from './random.ts'
import type { SnapshotStore, StoredSnapshot } from './snapshotStore.ts'

/** Raised whenever the form changes. */
const SNAPSHOT_VERSION = 1
/** What one piece carries: small enough for a store of one-megabyte messages, large enough that their number does not matter. */
const PIECE_BYTES = 1_000_000
const LENGTH_BYTES = 4
/** First byte of a piece's body. */
const pieceKind = { data: 0, manifest: 1 } as const

/** Everything that an actor is after its record `index`, so that whoever has it goes on from there. */
export interface Snapshot {
  readonly epoch: number
  readonly index: number
  readonly time: Milliseconds
  /** The digest chain after that record. */
  readonly digest: Uint8Array
  readonly links: LinksState
  readonly feed: FeedState
  /** `Machine.snapshot()`. */
  readonly machine: Uint8Array
}

/** The last piece: a row that ends with it is whole. */
export interface Manifest {
  readonly version: number
  readonly epoch: number
  readonly index: number
  readonly time: Milliseconds
  /** Where the journal's record `index` stands. */
  readonly position: number
  /** Pieces before this one. */
  readonly pieces: number
  /** Of all that the pieces carry: bytes, and sha256. */
  readonly length: number
  readonly sha256: Uint8Array
}

/** Where an actor's snapshots are, and how they are wrapped. */
export interface SnapshotShelf {
  readonly store: SnapshotStore
  readonly envelope: Envelope
}

/**
 * Writes a row of pieces and gives its name, and the bytes that they carry.
 * @throws Error where a piece is not known to be stored; what is there is then an unfinished row
 */
export async function writeSnapshot({ store, envelope }: SnapshotShelf, snapshot: Snapshot, position: number, random: Random): Promise<{ readonly name: string; readonly bytes: number }> {
  const { epoch, index, time, machine, ...rest } = snapshot
  const head = encode({ version: SNAPSHOT_VERSION, time, ...rest })
  const name = `${String(index).padStart(16, '0')}-${Buffer.from(random(8)).toString('hex')}`
  const sha256 = createHash('sha256')
  let [part, length] = [0, 0]
  const append = async (kind: number, bytes: Uint8Array): Promise<void> => {
    const body = new Uint8Array(1 + bytes.length)
    body[0] = kind
    body.set(bytes, 1)
    await store.append(name, envelope.wrap({ epoch, index, part: part++ }, body))
  }
  for (const section of [withLength(head), machine]) {
    for (let at = 0; at < section.length; at += PIECE_BYTES) {
      const bytes = section.subarray(at, at + PIECE_BYTES)
      sha256.update(bytes)
      length += bytes.length
      await append(pieceKind.data, bytes)
    }
  }
  const manifest: Manifest = { version: SNAPSHOT_VERSION, epoch, index, time, position, pieces: part, length, sha256: sha256.digest() }
  await append(pieceKind.manifest, encode(manifest))
  return { name, bytes: length }
}

/**
 * What a row's last piece says of it, or null where the row is not finished.
 * @throws JournalFault where the last piece is damaged or not for this actor
 */
export async function readManifest({ store, envelope }: SnapshotShelf, { name, pieces }: StoredSnapshot): Promise<Manifest | null> {
  const last = await store.last(name)
  if (last === null) return null
  const { heading, body } = envelope.unwrap(last)
  if (body[0] !== pieceKind.manifest) return null
  const manifest = decode<Manifest>(body.subarray(1))
  if (manifest.version !== SNAPSHOT_VERSION) throw new JournalFault('unknown_version', null, `a snapshot of version ${manifest.version}, ${SNAPSHOT_VERSION} is known`)
  if (heading.part !== manifest.pieces || pieces !== manifest.pieces + 1) throw new JournalFault('torn', null, `a snapshot of ${manifest.pieces} pieces has ${pieces - 1}`)
  return manifest
}

/** @throws JournalFault where a piece is missing, damaged, or in another's place */
export async function readSnapshot({ store, envelope }: SnapshotShelf, name: string, manifest: Manifest): Promise<Snapshot> {
  const { epoch, index } = manifest
  const bytes = Buffer.allocUnsafe(manifest.length)
  const sha256 = createHash('sha256')
  let [part, length] = [0, 0]
  for await (const piece of store.read(name, manifest.pieces)) {
    const { heading, body } = envelope.unwrap(piece)
    const fits = heading.epoch === epoch && heading.index === index && heading.part === part && body[0] === pieceKind.data && length + body.length - 1 <= manifest.length
    if (!fits) throw new JournalFault('out_of_order', null, `a snapshot's piece ${part} is another one`)
    bytes.set(body.subarray(1), length)
    sha256.update(body.subarray(1))
    length += body.length - 1
    part++
  }
  if (part !== manifest.pieces || length !== manifest.length) throw new JournalFault('torn', null, `a snapshot has ${length} bytes of ${manifest.length}`)
  if (!sha256.digest().equals(manifest.sha256)) throw new JournalFault('damaged', null, 'a snapshot is not the one its manifest speaks of')
  try {
    const end = LENGTH_BYTES + bytes.readUInt32BE(0)
    const { version, ...rest } = decode<Omit<Snapshot, 'epoch' | 'index' | 'machine'> & { readonly version: number }>(bytes.subarray(LENGTH_BYTES, end))
    if (version !== manifest.version) throw new Error(`version ${version}`)
    return { epoch, index, ...rest, machine: bytes.subarray(end) }
  } catch (error) {
    throw new JournalFault('torn', null, `a snapshot's head cannot be read: ${sentence(error)}`, error)
  }
}

function withLength(head: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(LENGTH_BYTES + head.length)
  bytes.writeUInt32BE(head.length)
  bytes.set(head, LENGTH_BYTES)
  return bytes
}

import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { JetStreamJournal } from '../../actors/runtime/jetstreamJournal.ts'
import { JetStreamSnapshots } from '../../actors/runtime/jetstreamSnapshots.ts'
import type { Log } from '../../actors/runtime/log.ts'
import { sealedVersions } from '../../actors/runtime/resealing.ts'
import { keyIdOf } from '../../actors/runtime/sealedEnvelope.ts'
import { connectNats } from '../../actors/runtime/transport.ts'
import { engineKeyVersion } from '../../enclave/engineKeys.ts'
import { feedKeyVersions } from '../../enclave/feedKeys.ts'
import { journalKeys, journalKeyVersion } from '../../enclave/journalKeys.ts'
import type { JournalKeys } from '../../enclave/journalKeys.ts'
import { venueNatsAccess } from '../../enclave/natsAccess.ts'
import { venueNatsAuthorities } from '../../enclave/natsAuthority.ts'
import { tokenKeyVersion } from '../../enclave/tokenKeys.ts'
import type { ActorName } from '../../protocol/identity.ts'
import type { Venue, VenueFile } from '../../protocol/venue.ts'
import { isoTime } from '../../protocol/view.ts'
import { accountEntry } from '../../settlement/accountEntry.ts'
import { engineKeys } from '../../settlement/engines.ts'
import { announced } from '../../settlement/governance/changing.ts'
import { balancesOf } from '../../settlement/sources.ts'
import type { Command, Outcome, Surroundings } from '../command.ts'
import { Declined, UsageFault } from '../fault.ts'
import { table } from '../table.ts'
import { Ground, venueOf } from '../vault/ground.ts'
import { VenueDraft } from '../vault/venueDraft.ts'

const NAMES = ['engine', 'journal', 'tokens', 'feeds', 'nats-authority'] as const
type Name = (typeof NAMES)[number]

/** What is stored of an actor: the versions of the journal key that its oldest record and its snapshots need, and the one that sealed its last record; null for a key that is none of the venue's. */
interface Stored {
  readonly actor: ActorName
  readonly needs: readonly (number | null)[]
  readonly last: number | null | undefined
}

/** One version of the engine's key, as the chain has it. */
interface EngineStanding {
  readonly version: number
  readonly key: string
  readonly obeyed: boolean
  /** Unix seconds from which on the vault may be told to obey it; null where nobody has announced it. */
  readonly due: number | null
  readonly stroops: bigint
}

/** `darkpool keys show`, `keys rotate NAME`, `keys retire journal`: the versions of the venue's own keys, for its operator. */
export const venueKeys: Command = async (surroundings) => {
  const [what, name, ...more] = surroundings.args.words
  if (more.length > 0) throw new UsageFault(`darkpool keys ${what} takes ${what === 'show' ? 'no further words' : 'one name'}`)
  if (what === 'show') {
    if (name !== undefined) throw new UsageFault('darkpool keys show takes no further words')
    return show(surroundings)
  }
  if (what === 'retire') {
    if (name !== 'journal') throw new UsageFault('darkpool keys retire takes journal: of no other key older versions are kept until they are let go')
    return retireJournal(surroundings)
  }
  if (!NAMES.includes(name as Name)) throw new UsageFault(`darkpool keys rotate takes one of ${NAMES.join(', ')}`)
  return rotate(surroundings, name as Name)
}

async function show(surroundings: Surroundings): Promise<Outcome> {
  const { args, place, say } = surroundings
  const venue = venueOf(args.options, place)
  const keys = await place.keys()
  const [stored, engines] = await Promise.all([storedOf(surroundings, venue), engineStanding(surroundings, venue).catch((error: unknown) => void say(`the vault cannot be asked: ${(error as Error).message}`))])
  const authorities = (await venueNatsAuthorities(keys, venue.file)).map(({ version, fingerprint }) => ({ version, certificate: fingerprint }))
  const journals = await journalKeys(keys, venue.file)
  const current = currentOf(venue.file)
  const older = stored.filter((one) => needsOlder(one, current.journal))
  const obeyed = engines?.find((engine) => engine.obeyed)
  const rows: string[][] = [
    ['engine', String(current.engine), engines === undefined ? 'not known: the vault cannot be asked' : obeyed === undefined ? 'THE VAULT OBEYS NONE OF ITS VERSIONS' : `the vault obeys version ${obeyed.version}`],
    ...(engines ?? []).map(({ version, key, due, stroops }) => ['', `${version}`, `${key}, ${stroops === 0n ? 'no account' : `${stroops} stroops`}${due === null ? '' : `, announced, due ${isoTime(due * 1_000)}`}`]),
    ['journal', String(current.journal), older.length === 0 ? 'nothing needs an older version' : `${older.map(({ actor }) => actor).join(', ')}: stored with an older version`],
    ...journals.all.map(({ version, id }) => ['', `${version}`, `${id}${version > current.journal ? ', the next one' : ''}`]),
    ['tokens', String(current.tokens), 'the version before counts, and the next one'],
    ['feeds', current.feeds === null ? '—' : String(current.feeds), current.feeds === null ? 'feeds are not sealed' : `readers know ${feedKeyVersions(venue.file).join(', ')}`],
    ['nats-authority', authorities.length === 0 ? '—' : String(current['nats-authority']), authorities.length === 0 ? 'nats-servers speak no TLS' : ''],
    ...authorities.map(({ version, certificate }) => ['', `${version}`, certificate]),
  ]
  const foreign = stored.some(({ needs }) => needs.includes(null))
  return {
    text: table(['key', 'version', ''], rows),
    json: {
      engine: { version: current.engine, obeyed: obeyed?.version ?? null, keys: engines?.map(({ stroops, ...rest }) => ({ ...rest, stroops: stroops.toString() })) ?? [] },
      journal: { version: current.journal, oldest: journals.all[0]!.version, keys: journals.all.map(({ version, id }) => ({ version, id })), older: older.map(({ actor }) => actor), stored },
      tokens: { version: current.tokens },
      feeds: { version: current.feeds },
      'nats-authority': { version: current['nats-authority'], certificates: authorities },
    },
    failed: obeyed === undefined || foreign,
  }
}

/** Changes the venue file where the next version can be taken. @throws Declined where something has to come first */
async function rotate(surroundings: Surroundings, name: Name): Promise<Outcome> {
  const { args, place } = surroundings
  const draft = VenueDraft.open(args.options, place)
  const { file } = draft.venue
  const version = currentOf(file)[name]
  if (version === null) throw new Declined(name === 'feeds' ? 'feeds are not sealed: `nats.sealed` in the venue file seals them' : 'nats-servers speak no TLS: `nats.tls` in the venue file has them')
  const next = version + 1
  if (name === 'engine') await assertObeyed(surroundings, draft.venue, next)
  if (name === 'journal') await assertTakenUp(surroundings, draft.venue, version)
  return written(surroundings, draft, changeTo(file, name, next), { key: name, version: next }, afterwards[name])
}

async function retireJournal(surroundings: Surroundings): Promise<Outcome> {
  const { args, place } = surroundings
  const draft = VenueDraft.open(args.options, place)
  const { file } = draft.venue
  const version = journalKeyVersion(file)
  const older = (await storedOf(surroundings, draft.venue)).filter((one) => needsOlder(one, version))
  if (older.length > 0) {
    const which = older.map(({ actor, needs }) => `${actor} (${needs.map((need) => (need === null ? 'a key that is none of these' : `version ${need}`)).join(', ')})`).join(', ')
    throw new Declined(`what is stored still needs an older key: ${which}. Shards that were started with version ${version} store it anew, within a minute or so`)
  }
  return written(surroundings, draft, { keys: { ...file.keys, journalOldest: version } }, { key: 'journal', oldest: version }, 'Start the shards anew: older versions open nothing from then on.')
}

const afterwards: Readonly<Record<Name, string>> = {
  engine: 'Start key holders and shards anew when it suits: the vault obeys that version already.',
  journal: 'Start the shards anew, one after another. When `darkpool keys show` says that nothing needs an older version, `darkpool keys retire journal` lets those go.',
  tokens: 'Start the gateways anew, one after another. Tokens of the version before count until they end.',
  feeds: 'Start gateways and shards anew. Never lower it: what older versions have sealed is still read.',
  'nats-authority': 'Start the nats-servers anew, one after another, each when the one before is a member again.',
}

const currentOf = (file: VenueFile) => ({ engine: engineKeyVersion(file), journal: journalKeyVersion(file), tokens: tokenKeyVersion(file), feeds: file.nats.sealed ?? null, 'nats-authority': file.nats.tls ?? null })

function changeTo({ keys, nats }: VenueFile, name: Name, version: number): Partial<VenueFile> {
  if (name === 'feeds') return { nats: { ...nats, sealed: version } }
  return name === 'nats-authority' ? { nats: { ...nats, tls: version } } : { keys: { ...keys, [name]: version } }
}

function written({ args }: Surroundings, draft: VenueDraft, change: Partial<VenueFile>, what: object, then: string): Outcome {
  const { difference, write } = draft.with(change)
  const dry = args.options['dry-run'] === true
  if (!dry) write()
  return { text: [`${draft.file}:`, difference, '', dry ? 'nothing was written' : then].join('\n'), json: { file: draft.file, written: !dry, ...what } }
}

/** @throws Declined, with what is left to do */
async function assertObeyed(surroundings: Surroundings, venue: Venue, version: number): Promise<void> {
  const engines = await engineStanding(surroundings, venue)
  const next = engines.find((engine) => engine.version === version)!
  if (next.obeyed) return
  const account = next.stroops === 0n ? `it has no account: create it first, with what it needs to pay; then ` : ''
  const command = `\`darkpool vault register-engine ${next.key}${venue.channel === 0 ? '' : ` --channel ${venue.channel}`}\``
  const change = next.due === null ? `${command} announces it` : `it is announced and due ${isoTime(next.due * 1_000)}: ${command} makes the change from then on`
  throw new Declined(`the vault does not obey version ${version} of the engine's key yet (${next.key}): ${account}${change}. The venue file follows the vault`)
}

/** @throws Declined where a node was not started since the version before came, or a key is not known: it would be two versions behind */
async function assertTakenUp(surroundings: Surroundings, venue: Venue, version: number): Promise<void> {
  const stored = await storedOf(surroundings, venue)
  const foreign = stored.filter(({ needs, last }) => last === null || needs.includes(null))
  if (foreign.length > 0) throw new Declined(`sealed with a key that is none of the venue's: ${foreign.map(({ actor }) => actor).join(', ')}`)
  const behind = stored.filter(({ last }) => last !== undefined && last !== null && last < version)
  if (behind.length > 0) throw new Declined(`not sealed with version ${version} yet: ${behind.map(({ actor }) => actor).join(', ')}. Start the shards that run them anew first: none may be two versions behind`)
}

const needsOlder = ({ needs }: Stored, version: number): boolean => needs.some((need) => need === null || need < version)

async function storedOf({ place }: Surroundings, venue: Venue): Promise<readonly Stored[]> {
  const keys = await place.keys()
  const connection = await connectNats(await venueNatsAccess(keys, venue.file), 'darkpool keys')
  try {
    const journals = await journalKeys(keys, venue.file)
    const stored: Stored[] = []
    for (const actor of venue.actors) stored.push(await storedOfActor(connection, venue, actor, journals))
    return stored
  } finally {
    await connection.close()
  }
}

async function storedOfActor(connection: NatsConnection, { subjects }: Venue, actor: ActorName, journals: JournalKeys): Promise<Stored> {
  const needs = await sealedVersions(new JetStreamJournal(connection, subjects.journalStream, subjects.journal(actor), quiet), { store: new JetStreamSnapshots(connection, subjects, actor) }, journals)
  const last = await (await jetstreamManager(connection)).streams.getMessage(subjects.journalStream, { last_by_subj: subjects.journal(actor) })
  return { actor, needs, last: last === null ? undefined : journals.versionOf(keyIdOf(last.data)) }
}

async function engineStanding(surroundings: Surroundings, { file, channel }: Venue): Promise<readonly EngineStanding[]> {
  const { place } = surroundings
  const { theVault: vault, network } = await Ground.open(surroundings)
  const engines = (await engineKeys(await place.keys(), file)).map(({ version, key }) => ({ version, key: key.publicKey() })).sort((a, b) => a.version - b.version)
  const [registered, balances] = await Promise.all([vault.engine(channel), balancesOf({ getAccountEntry: (address) => accountEntry(network.server, address) }, engines.map(({ key }) => key))])
  return Promise.all(engines.map(async ({ version, key }) => ({ version, key, obeyed: key === registered, due: key === registered ? null : ((await announced(vault, { engine: key, channel }))?.due ?? null), stroops: balances.get(key)! })))
}

const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }

import { existsSync, readFileSync } from 'node:fs'
import { Keypair } from '@stellar/stellar-sdk/base'
import { Value } from 'typebox/value'
import { Collateral, EVIDENCE_VERSION, exactQuote, keyCommitment, readEvidence, reportData } from '../../protocol/attestation.ts'
import type { AttestationEvidence, EvidenceKeys, RuntimeEvent } from '../../protocol/attestation.ts'
import { settlementChannel } from '../../protocol/venue.ts'
import type { VenueFile } from '../../protocol/venue.ts'
import { engineKeyVersion, engineKeyVersions } from '../engineKeys.ts'
import { feedKeyVersions } from '../feedKeys.ts'
import type { AgentInfo, AgentQuote } from '../guestAgent.ts'
import { journalKeyVersion } from '../journalKeys.ts'
import { engineKeyPath, feedKeyPath, journalKeyPath } from '../keys.ts'
import type { Keys } from '../keys.ts'
import { venueNatsAuthorities } from '../natsAuthority.ts'

const RUNTIME_REGISTER = 3
/** Quotes that wait for the one that is being made: hardware makes some tens a second. */
const MOST_WAITING = 32

/** Where quotes come from. */
export interface Quoting {
  quote(reportData: Uint8Array): Promise<AgentQuote>
  info(): Promise<AgentInfo>
}

/** As many quotes are asked for as may wait. */
export class TooManyQuotes extends Error {
  constructor() {
    super('as many quotes are asked for as may wait')
    this.name = 'TooManyQuotes'
  }
}

/**
 * Has the enclave vouch for the venue's keys. It alone says what a quote binds: a gateway names its TLS key and the verifier's nonce, and cannot have anything else
 * quoted, another engine's key for one.
 */
export class Attestor {
  readonly #quoting: Quoting
  readonly #collateralFile: string | null
  readonly #keys: Omit<EvidenceKeys, 'tls'>
  readonly #unreadable: (error: unknown) => void
  #info: AgentInfo | undefined
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  private constructor(quoting: Quoting, collateralFile: string | null, keys: Omit<EvidenceKeys, 'tls'>, unreadable: (error: unknown) => void) {
    this.#quoting = quoting
    this.#collateralFile = collateralFile
    this.#keys = keys
    this.#unreadable = unreadable
  }

  /** @param collateralFile where there is one: what Intel says of the platform, which may be replaced while this runs @param unreadable hears where that file is none */
  static async open(venue: VenueFile, keys: Keys, quoting: Quoting, collateralFile: string | null, unreadable: (error: unknown) => void): Promise<Attestor> {
    const feed = await Promise.all(feedKeyVersions(venue).map(async (version) => ({ version, commitment: await keyCommitment('feed', await keys.secret(feedKeyPath(version))) })))
    const engines = await Promise.all(engineKeyVersions(venue).toSorted((a, b) => a - b).map(async (version) => ({ version, key: Keypair.fromRawEd25519Seed(Buffer.from(await keys.secret(engineKeyPath(version)))).publicKey() })))
    const engine = engines.find(({ version }) => version === engineKeyVersion(venue))!.key
    const journal = await keyCommitment('journal', await keys.secret(journalKeyPath(journalKeyVersion(venue))))
    const nats = (await venueNatsAuthorities(keys, venue)).map(({ version, fingerprint }) => ({ version, certificate: fingerprint }))
    return new Attestor(quoting, collateralFile, { engine, engines, feed, journal, ...(nats.length > 0 && { nats }), network: venue.network.passphrase, vault: venue.vault.contract, channel: settlementChannel(venue) }, unreadable)
  }

  /** What runs: asked once, for it is what was booted. */
  async info(): Promise<AgentInfo> {
    return (this.#info ??= await this.#quoting.info())
  }

  /** One quote at a time. @param tls DER SubjectPublicKeyInfo, hex @throws TooManyQuotes, AgentAway, AgentRefused */
  async evidence(nonce: string, tls: string): Promise<AttestationEvidence> {
    if (this.#waiting >= MOST_WAITING) throw new TooManyQuotes()
    this.#waiting++
    const before = this.#last
    const made = (async () => {
      await before
      return this.#make(nonce, tls)
    })()
    this.#last = made.catch(() => undefined)
    try {
      return await made
    } finally {
      this.#waiting--
    }
  }

  async #make(nonce: string, tls: string): Promise<AttestationEvidence> {
    const keys = { tls, ...this.#keys }
    const { appCompose } = await this.info()
    const { tdxQuote, eventLog, vmConfig } = await this.#quoting.quote(await reportData(nonce, keys))
    const quote = Buffer.from(exactQuote(tdxQuote)).toString('hex')
    return readEvidence({ version: EVIDENCE_VERSION, nonce, quote, eventLog: runtimeEvents(eventLog), appCompose, vmConfig, collateral: this.#collateral(), keys })
  }

  /** Without it a verifier fetches its own. */
  #collateral(): Collateral | null {
    const file = this.#collateralFile
    if (file === null || !existsSync(file)) return null
    try {
      const collateral: unknown = JSON.parse(readFileSync(file, 'utf8'))
      if (Value.Check(Collateral, collateral)) return collateral
      throw new Error(`${file} is no collateral`)
    } catch (error) {
      this.#unreadable(error)
      return null
    }
  }
}

/** Of an agent's log, which may also tell what firmware and kernel measured. */
function runtimeEvents(log: string): unknown {
  const events = JSON.parse(log) as Partial<RuntimeEvent>[]
  return events.filter(({ imr }) => imr === RUNTIME_REGISTER).map(({ imr, event_type, digest, event, event_payload }) => ({ imr, event_type, digest, event, event_payload }))
}

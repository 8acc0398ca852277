import { orAborted } from './aborted.ts'
import { NeverSent, NotVerified } from './errors.ts'
import type { Guard, Incoming, Outgoing, Transport } from './transport.ts'

/** What a venue shows of the enclave that it runs in. */
export interface Evidence {
  /** Made for this look: evidence that does not carry it was made for another one. 64 hexadecimal digits. */
  readonly nonce: string
  /** What GET /api/v1/attestation answered to that nonce, as it came. */
  readonly attestation: Readonly<Record<string, unknown>>
  /** DER SubjectPublicKeyInfo of the TLS key at the other end of the connection, which the evidence must bind; null where there is no TLS, or where the platform does not show it, as a browser. */
  readonly tlsKey: Uint8Array | null
}

/** Accepts what a venue shows by returning, and refuses by throwing: nothing is sent then, and the call throws NotVerified with that as its `cause`. */
export type Verify = (evidence: Evidence) => void | Promise<void>

const NONCE_BYTES = 32
const LOOK_MS = 10_000
/** The venue has the route and cannot answer now. */
const passingStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504])

/** A transport that sends nothing to a venue which `verify` has not accepted. */
export function verifiedBy(verify: Verify, transport: Transport, url: string): Transport {
  const guard: Guard = async (ask, tlsKey) => {
    const nonce = Array.from(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)), (byte) => byte.toString(16).padStart(2, '0')).join('')
    const attestation = attestationIn(await ask(`/api/v1/attestation?nonce=${nonce}`))
    try {
      await verify({ nonce, attestation, tlsKey })
    } catch (error) {
      throw new NotVerified(error)
    }
  }
  return transport.guarded?.(guard) ?? new VerifiedTransport(transport, url, guard)
}

/** Evidence, and what the venue said over the same connection. */
export interface Look extends Evidence {
  /** What GET /api/v1/markets said, as it came; null where it said nothing. */
  readonly markets: unknown
}

/** What a venue shows over a connection of its own, whatever it is worth. @throws NotVerified where it shows nothing, NeverSent or OutcomeUnknown where it cannot be asked */
export async function evidenceOf(transport: Transport, url: string): Promise<Look> {
  let evidence: Evidence | undefined
  const looking = verifiedBy((shown) => void (evidence = shown), transport, url)
  let markets: unknown = null
  try {
    // Any request has its connection looked at; this one asks for what everybody is told.
    const { status, text } = await looking.carry({ method: 'GET', url: new URL('/api/v1/markets', url), headers: {}, signal: AbortSignal.timeout(2 * LOOK_MS) })
    if (status === 200) markets = JSON.parse(text)
  } catch (error) {
    // Evidence was had: that the venue says nothing besides is for whoever judges it.
    if (evidence === undefined) throw error
  } finally {
    if (transport.guarded !== undefined) looking.close?.()
  }
  if (evidence === undefined) throw new NotVerified(new Error('the venue shows no evidence'))
  return { ...evidence, markets }
}

/** Over connections that are not seen: looks before the first request, and again after each that failed, since what comes next may go over another connection. */
class VerifiedTransport implements Transport {
  readonly #transport: Transport
  readonly #url: string
  readonly #guard: Guard
  #look: Promise<void> | undefined

  constructor(transport: Transport, url: string, guard: Guard) {
    this.#transport = transport
    this.#url = url
    this.#guard = guard
  }

  async carry(outgoing: Outgoing): Promise<Incoming> {
    // Those who come at a time share one look.
    const look = (this.#look ??= this.#guard((path) => this.#ask(path), null))
    try {
      await orAborted(look, outgoing.signal)
      return await this.#transport.carry(outgoing)
    } catch (error) {
      if (this.#look === look) this.#look = undefined
      throw error
    }
  }

  async #ask(path: string): Promise<Incoming> {
    try {
      return await this.#transport.carry({ method: 'GET', url: new URL(path, this.#url), headers: {}, signal: AbortSignal.timeout(LOOK_MS) })
    } catch (error) {
      // Whatever became of the question: what waits for its answer was not sent.
      throw error instanceof NeverSent ? error : new NeverSent(error)
    }
  }
}

/** @throws NotVerified where the venue shows nothing, NeverSent where it cannot say now */
function attestationIn({ status, text }: Incoming): Readonly<Record<string, unknown>> {
  if (passingStatuses.has(status)) throw new NeverSent(new Error(`the venue cannot show its evidence now (status ${status})`))
  if (status !== 200) throw new NotVerified(new Error(`the venue shows no evidence (status ${status})`))
  let attestation: unknown
  try {
    attestation = JSON.parse(text)
  } catch (error) {
    throw new NotVerified(error)
  }
  if (typeof attestation !== 'object' || attestation === null || Array.isArray(attestation)) throw new NotVerified(new Error('the venue shows something that is no evidence'))
  return attestation as Readonly<Record<string, unknown>>
}

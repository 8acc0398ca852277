import { Type } from 'typebox'
import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { closed, Contract, Digest, Key, Network } from './messages/members.ts'
import { canonicalJson } from './messages/canonical.ts'
import { RUNTIME_EVENT } from './eventLog.ts'

// What a venue shows of the enclave that it runs in: GET /api/v1/attestation.

export const EVIDENCE_VERSION = 1
/** What report_data begins with: a quote that was made for anything else binds nothing here. */
export const REPORT_DATA_DOMAIN = 'darkpool.attestation.1'
export const NONCE_DIGITS = 64

/** Lower-case hexadecimal, of which each value has one spelling. */
const hex = (bytes: number, description: string) => Type.String({ pattern: `^[0-9a-f]{${bytes * 2}}$`, description })
const hexUpTo = (bytes: number, description: string) => Type.String({ pattern: '^([0-9a-f]{2})*$', maxLength: bytes * 2, description })
const Version = Type.Integer({ minimum: 1, maximum: 65_535 })
const text = (characters: number, description: string) => Type.String({ maxLength: characters, description })

/** The keys that never leave the enclave, by their public halves, and what they are for. */
export const EvidenceKeys = Type.Object(
  {
    tls: Type.String({ pattern: '^([0-9a-f]{2})+$', maxLength: 1_200, description: 'The TLS key: DER SubjectPublicKeyInfo in hexadecimal' }),
    engine: { ...Key, description: 'The engine’s Stellar key, in its current version' },
    engines: Type.Optional(
      Type.Array(Type.Object({ version: Version, key: Key }, closed), {
        minItems: 1,
        maxItems: 8,
        description: 'Every version of it that the enclave has, of which it uses the one that the vault contract obeys: the current one, the one before and the next one',
      }),
    ),
    feed: Type.Array(Type.Object({ version: Version, commitment: Digest }, closed), { maxItems: 64, description: 'Commitments to the secrets of which accounts’ feed keys are derived; none where feeds are not sealed' }),
    journal: { ...Digest, description: 'Commitment to the key that seals journals, in its current version' },
    nats: Type.Optional(
      Type.Array(Type.Object({ version: Version, certificate: { ...Digest, description: 'SHA-256 of its DER' } }, closed), {
        minItems: 1,
        maxItems: 8,
        description: 'The app’s own authorities over its nats-servers, the current one first; left out where those do not speak TLS by one',
      }),
    ),
    network: Network,
    vault: Contract,
    channel: Type.Integer({ minimum: 0, maximum: 0xffff_ffff, description: 'Settlement channel' }),
  },
  closed,
)
export type EvidenceKeys = Static<typeof EvidenceKeys>

/** One event of RTMR3, named as dstack's event log does. */
export const RuntimeEvent = Type.Object(
  {
    imr: Type.Literal(3),
    event_type: Type.Literal(RUNTIME_EVENT),
    digest: Type.String({ pattern: '^([0-9a-f]{96})?$', description: 'SHA-384 as recorded; newer guest agents leave it empty. It is always computed anew' }),
    event: Type.String({ minLength: 1, maxLength: 128 }),
    event_payload: hexUpTo(8_192, 'Payload in hexadecimal'),
  },
  closed,
)
export type RuntimeEvent = Static<typeof RuntimeEvent>

/** What Intel says of the platform, signed by Intel. The names are those of the collateral files that other tools for TDX quotes write and read; CRLs are DER in hexadecimal, chains PEM. */
export const Collateral = Type.Object(
  {
    pck_crl_issuer_chain: text(16_384, 'Platform CA and root'),
    pck_crl: hexUpTo(524_288, 'Revoked PCK certificates'),
    root_ca_crl: hexUpTo(65_536, 'Revoked CAs and TCB signing certificates'),
    tcb_info_issuer_chain: text(16_384, 'TCB signing certificate and root'),
    tcb_info: text(524_288, 'The member tcbInfo as it was signed'),
    tcb_info_signature: hex(64, 'ECDSA P-256, r ‖ s'),
    qe_identity_issuer_chain: text(16_384, 'TCB signing certificate and root'),
    qe_identity: text(65_536, 'The member enclaveIdentity as it was signed'),
    qe_identity_signature: hex(64, 'ECDSA P-256, r ‖ s'),
  },
  closed,
)
export type Collateral = Static<typeof Collateral>

export const AttestationEvidence = Type.Object(
  {
    version: Type.Literal(EVIDENCE_VERSION),
    nonce: { ...Digest, description: 'As asked for: 64 hexadecimal digits' },
    quote: Type.String({ pattern: '^([0-9a-f]{2})+$', maxLength: 65_536, description: 'TDX quote in hexadecimal, without what a guest agent pads it with' }),
    eventLog: Type.Array(RuntimeEvent, { maxItems: 256, description: 'What was measured into RTMR3, in order. RTMR0–2 need no log: they are compared as they are' }),
    appCompose: text(524_288, 'app-compose.json, byte for byte as it was measured'),
    vmConfig: text(65_536, 'As the guest agent gives it; may be empty'),
    collateral: Type.Union([Collateral, Type.Null()], { description: 'Where the venue has it at hand; a verifier may bring its own' }),
    keys: EvidenceKeys,
  },
  closed,
)
export type AttestationEvidence = Static<typeof AttestationEvidence>

/** @throws Error that names what does not fit */
export function readEvidence(value: unknown): AttestationEvidence {
  if (!Value.Check(AttestationEvidence, value)) throw new Error(`not evidence of version ${EVIDENCE_VERSION}: ${firstFault(AttestationEvidence, value)}`)
  return value
}

/** Where, and what: never the value itself, which may be long and strange. */
export function firstFault(schema: TSchema, value: unknown): string {
  const [error] = Value.Errors(schema, value)
  return error === undefined ? 'unknown' : `${error.instancePath === '' ? '/' : error.instancePath} ${error.message}`
}

/** The 64 bytes that the quote carries: SHA-512 over the domain tag and the canonical JSON (RFC 8785) of {keys, nonce}. */
export async function reportData(nonce: string, keys: EvidenceKeys): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-512', new TextEncoder().encode(REPORT_DATA_DOMAIN + canonicalJson({ nonce, keys }))))
}

/** What is said of a secret key in evidence: the same secret gives the same 64 digits, which tell nothing of it. @param secret 32 bytes that nobody can guess */
export async function keyCommitment(purpose: 'feed' | 'journal', secret: Uint8Array): Promise<string> {
  const tag = new TextEncoder().encode(`darkpool.commitment.1 ${purpose}\0`)
  const bytes = new Uint8Array(tag.length + secret.length)
  bytes.set(tag)
  bytes.set(secret, tag.length)
  return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

const headingAndReport = 48 + 584

/** A quote as long as it says it is: guest agents pad theirs with zeros. @throws Error where it is shorter, or what follows it is something else */
export function exactQuote(quote: Uint8Array): Uint8Array {
  if (quote.length < headingAndReport + 4) throw new Error('a TDX quote is longer')
  const end = headingAndReport + 4 + new DataView(quote.buffer, quote.byteOffset).getUint32(headingAndReport, true)
  if (quote.length < end) throw new Error('the quote is cut off')
  if (quote.subarray(end).some((byte) => byte !== 0)) throw new Error('something follows the quote')
  return quote.slice(0, end)
}

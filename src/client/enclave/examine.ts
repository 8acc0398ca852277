import { AttestationEvidence, Collateral, firstFault, reportData } from '../../protocol/attestation.ts'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { fromAnyHex, toHex } from '../../protocol/hex.ts'
import { bootFacts, digestsOf, rtmr3Of } from './bootFacts.ts'
import { joined, same, zero } from './bytes.ts'
import type { Bytes } from './bytes.ts'
import { assertChain, assertCurrent, assertEndEntity, certificatesIn, isSignedBy, readChain, readRevocationList } from './certificate.ts'
import type { RevocationList, X509 } from './certificate.ts'
import { Examination } from './checks.ts'
import type { Check, CheckName } from './checks.ts'
import { assertClosed, imagesOf, readAppCompose } from './compose.ts'
import { platformIdentity } from './platformExtension.ts'
import { assertAccepted } from './policy.ts'
import type { Policy } from './policy.ts'
import { keyOf, sha256, signedBy } from './signature.ts'
import { assertEnclave, assertFresh, assertModule, moduleOf, platformVerdict, readEnclaveIdentity, readTcbInfo, svnVerdict } from './tcb.ts'
import type { Verdict } from './tcb.ts'
import { readQuote } from './tdxQuote.ts'

const ROOT = 'Intel SGX Root CA'
const PLATFORM_CA = 'Intel SGX PCK Platform CA'
const PCK = 'Intel SGX PCK Certificate'
const TCB_SIGNING = 'Intel SGX TCB Signing'
/** SEPT_VE_DISABLE is bit 28, PKS bit 30 of a TD's attributes; the lowest byte is for debugging. */
const DEBUGGING = 0xff
const SEPT_VE_DISABLE = 1 << 28
const PKS = 1 << 30

export interface Question {
  /** What the evidence was asked with: 64 hexadecimal digits. */
  readonly nonce: string
  /** DER SubjectPublicKeyInfo at the other end of the connection that the evidence came over; null where the platform does not show it, which fails unless `tlsKeyUnseen` says otherwise. */
  readonly tlsKey: Uint8Array | null
  /** For platforms such as browsers: whether the connection ends inside the enclave is then left to the web's certificates. */
  readonly tlsKeyUnseen?: 'accepted'
  readonly policy: Policy
  /** The engine's key as the vault contract has it for the evidence's channel (G…), or what asks the chain. */
  readonly registeredEngine: string | ((channel: number) => string | null | Promise<string | null>)
  /** What GET /api/v1/markets said over this connection, null where it said nothing: it tells traders whom to trust as the venue's nats-servers. Not given where it was not asked for, and then not compared. */
  readonly markets?: unknown
  /** Instead of what the venue brings along. */
  readonly collateral?: unknown
  /** Default: this machine's clock. */
  readonly now?: Date
}

export interface Verification {
  /** Every check has passed. */
  readonly ok: boolean
  readonly checks: readonly Check[]
}

/** Looks at all there is, each thing by itself, and never throws for what the evidence is. @param root DER SubjectPublicKeyInfo that chains have to end at */
export async function examine(shown: unknown, question: Question, root: Bytes): Promise<Verification> {
  const { policy, nonce: asked, now = new Date() } = question
  const look = new Examination()

  const evidence = await look.check('evidence-form', () => {
    if (!Value.Check(AttestationEvidence, shown)) throw new Error(firstFault(AttestationEvidence, shown))
    return [`version ${shown.version}`, shown]
  })
  await look.check('nonce', () => {
    if (evidence().nonce !== asked) throw new Error('it carries another nonce')
    return [asked]
  })

  const quote = await look.check('quote-form', () => {
    const bytes = fromAnyHex(evidence().quote)
    return [`${bytes.length} bytes`, readQuote(bytes)]
  })
  const chain = await look.check('pck-chain', async () => {
    const certificates = readChain(quote().chain)
    await assertChain(certificates, [PCK, PLATFORM_CA, ROOT])
    assertEndEntity(certificates[0]!)
    return [certificates.map(({ commonName }) => commonName).join(' ← '), certificates as unknown as readonly [pck: X509, ca: X509, root: X509]]
  })
  await look.check('root-key', () => {
    if (!same(chain()[2].key, root)) throw new Error(`it ends at another key: ${toHex(chain()[2].key)}`)
    return [toHex(root)]
  })
  await look.check('pck-validity', () => {
    for (const certificate of chain()) assertCurrent(certificate, now)
    return [`until ${new Date(Math.min(...chain().map(({ to }) => to.getTime()))).toISOString()}`]
  })
  await look.check('qe-signature', async () => {
    if (!(await signedBy(chain()[0].key, quote().enclave.signed, quote().enclaveSignature))) throw new Error('the report of the quoting enclave is not signed by the PCK')
    return ['signed by the PCK']
  })
  await look.check('attestation-key', async () => {
    const { attestationKey, authentication, enclave } = quote()
    const bound = joined(await sha256(joined(attestationKey, authentication)), new Uint8Array(32))
    if (!same(enclave.reportData, bound)) throw new Error('the report of the quoting enclave binds another key')
    return [toHex(attestationKey)]
  })
  await look.check('quote-signature', async () => {
    const { attestationKey, signed, signature } = quote()
    if (!(await signedBy(keyOf(attestationKey), signed, signature))) throw new Error('not signed by the attestation key')
    return ['signed by the attestation key']
  })

  const collateral = await look.check('collateral', () => {
    const given: unknown = question.collateral ?? evidence().collateral
    if (given === null) throw new Error('there is none')
    if (!Value.Check(Collateral, given)) throw new Error(firstFault(Collateral, given))
    return [question.collateral === undefined ? 'as the venue brings it along' : 'as it was given', given]
  })
  const listIssuers = await look.check('crl-chain', async () => {
    const [issuer, end] = await issuers(collateral().pck_crl_issuer_chain, [PLATFORM_CA, ROOT], root, now)
    const [, ca] = chain()
    if (!same(issuer.key, ca.key) || !same(issuer.subject, ca.subject)) throw new Error('its issuer is another CA than the quote’s')
    return [`${issuer.commonName} ← ${end.commonName}`, { issuer, root: end }]
  })
  const revokedPlatforms = await look.check('pck-crl', () => list(collateral().pck_crl, chain()[1]))
  await look.check('pck-crl-freshness', () => current(revokedPlatforms(), now))
  await look.check('pck-revoked', () => unrevoked(revokedPlatforms(), [chain()[0]]))
  const revokedAuthorities = await look.check('root-crl', () => list(collateral().root_ca_crl, listIssuers().root))
  await look.check('root-crl-freshness', () => current(revokedAuthorities(), now))
  await look.check('ca-revoked', () => unrevoked(revokedAuthorities(), [chain()[1], listIssuers().issuer]))

  const infoIssuers = await look.check('tcb-info-chain', () => signers(collateral().tcb_info_issuer_chain, root, now))
  const identityIssuers = await look.check('qe-identity-chain', () => signers(collateral().qe_identity_issuer_chain, root, now))
  await look.check('signing-revoked', () => unrevoked(revokedAuthorities(), [infoIssuers(), identityIssuers()]))
  await look.check('tcb-info-signature', async () => signedText(infoIssuers(), collateral().tcb_info, collateral().tcb_info_signature))
  const info = await look.check('tcb-info-form', () => {
    const read = readTcbInfo(collateral().tcb_info)
    return [`for FMSPC ${read.fmspc.toLowerCase()}`, read]
  })
  await look.check('tcb-info-freshness', () => {
    assertFresh(info(), now)
    return [`until ${info().nextUpdate}`]
  })
  const platform = await look.check('platform-match', () => {
    const found = platformIdentity(chain()[0])
    if (info().fmspc.toLowerCase() !== found.fmspc) throw new Error(`the platform has FMSPC ${found.fmspc}, and the TCB information is for ${info().fmspc.toLowerCase()}`)
    if (info().pceId.toLowerCase() !== found.pceId) throw new Error(`the platform has PCE ${found.pceId}, and the TCB information is for ${info().pceId.toLowerCase()}`)
    return [`FMSPC ${found.fmspc}, PCE ${found.pceId}`, found]
  })
  await look.check('qe-identity-signature', async () => signedText(identityIssuers(), collateral().qe_identity, collateral().qe_identity_signature))
  const identity = await look.check('qe-identity-form', () => ['the quoting enclave of TDs', readEnclaveIdentity(collateral().qe_identity)])
  await look.check('qe-identity-freshness', () => {
    assertFresh(identity(), now)
    return [`until ${identity().nextUpdate}`]
  })
  await look.check('evaluation', () => {
    const lowest = Math.min(info().tcbEvaluationDataNumber, identity().tcbEvaluationDataNumber)
    if (lowest < policy.tcb.minimumEvaluation) throw new Error(`evaluation ${lowest}, where the policy asks for ${policy.tcb.minimumEvaluation}`)
    return [`evaluation ${lowest}`]
  })
  await look.check('qe-identity', () => {
    assertEnclave(identity(), quote().enclave)
    return [`signer ${toHex(quote().enclave.mrSigner)}, product ${quote().enclave.isvProdId}`]
  })
  await look.check('qe-status', () => accepted(policy, svnVerdict(identity().tcbLevels, quote().enclave.isvSvn)))
  await look.check('tcb-status', () => accepted(policy, platformVerdict(info(), platform(), quote())))
  const module = await look.check('module-identity', () => {
    const found = moduleOf(info(), quote())
    assertModule(found.module, quote())
    return [found.name, found]
  })
  await look.check('module-status', () => {
    const { levels } = module()
    return levels === null ? ['judged with the platform'] : accepted(policy, svnVerdict(levels, quote().teeTcbSvn[0]!))
  })
  await look.check('module-signer', () => {
    if (!zero(quote().mrSignerSeam)) throw new Error(`signed by ${toHex(quote().mrSignerSeam)}`)
    return ['Intel']
  })

  await attributes(look, () => quote().tdAttributes)
  const registers = await measured(look, policy, () => [quote().mrtd, ...quote().rtmr.slice(0, 3)].map(toHex))

  const digests = await look.check('event-digests', async () => {
    const computed = await digestsOf(evidence().eventLog)
    const wrong = evidence().eventLog.findIndex(({ digest }, at) => digest !== '' && digest !== toHex(computed[at]!))
    if (wrong !== -1) throw new Error(`event ${wrong} (${JSON.stringify(evidence().eventLog[wrong]!.event)}) has another digest`)
    return [`${computed.length} events`, computed]
  })
  await look.check('rtmr3', async () => {
    const [replayed, held] = [await rtmr3Of(digests()), toHex(quote().rtmr[3])]
    if (replayed !== held) throw new Error(`the log comes to ${replayed}, and the quote holds ${held}`)
    return [held]
  })
  const facts = await look.check('boot-events', () => {
    const found = bootFacts(evidence().eventLog)
    return [`instance ${toHex(found['instance-id'])}`, found]
  })
  await look.check('os-image', () => {
    const [image, machine] = [toHex(facts()['os-image-hash']), registers()]
    if (machine.osImage !== image) throw new Error(`${image}, where ${machine.name} has ${machine.osImage}`)
    return [image]
  })
  await look.check('vm-config', () => {
    const { vmConfig } = evidence()
    if (vmConfig === '') return ['not shown']
    const { os_image_hash: image } = JSON.parse(vmConfig) as { readonly os_image_hash?: unknown }
    if (image !== undefined && image !== toHex(facts()['os-image-hash'])) throw new Error('it names another OS image')
    return [image === undefined ? 'names no OS image' : 'names the same OS image']
  })

  await look.check('compose-hash', async () => {
    const [shownHash, measuredHash] = [toHex(await sha256(new TextEncoder().encode(evidence().appCompose))), toHex(facts()['compose-hash'])]
    if (shownHash !== measuredHash) throw new Error(`app-compose.json has the hash ${shownHash}, and ${measuredHash} was measured`)
    return [shownHash]
  })
  await look.check('compose-published', () => {
    const hash = toHex(facts()['compose-hash'])
    const build = policy.builds.find((one) => one.composeHash === hash)
    if (build === undefined) throw new Error(`no build of the policy has the compose hash ${hash}`)
    return [build.name]
  })
  await look.check('compose-closed', () => {
    assertClosed(readAppCompose(evidence().appCompose))
    return ['nothing is shown to the public']
  })
  await look.check('images', () => {
    const images = imagesOf(readAppCompose(evidence().appCompose))
    const hash = toHex(facts()['compose-hash'])
    const build = policy.builds.find((one) => one.composeHash === hash)
    // Where the build is unknown, which is another check's to say: any image of the policy.
    const known = build?.images ?? policy.builds.flatMap((one) => one.images)
    const strange = images.find((image) => !known.includes(image))
    if (strange !== undefined) throw new Error(`the policy does not name ${strange}`)
    return [images.join(', ')]
  })
  await look.check('app-id', () => {
    const app = toHex(facts()['app-id'])
    if (app !== policy.app) throw new Error(`app ${app}, where the policy names ${policy.app}`)
    return [app]
  })
  await look.check('key-provider', () => {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(facts()['key-provider'])
    const { name, id } = JSON.parse(text) as { readonly name?: unknown; readonly id?: unknown }
    if (name !== policy.keyProvider.name || id !== policy.keyProvider.id) throw new Error(`the keys come from ${text}`)
    return [text]
  })

  await look.check('venue', () => {
    const { network, vault, channel } = evidence().keys
    if (network !== policy.venue.network) throw new Error(`network ${JSON.stringify(network)}`)
    if (vault !== policy.venue.vault) throw new Error(`vault ${vault}`)
    if (!policy.venue.channels.includes(channel)) throw new Error(`channel ${channel}`)
    return [`channel ${channel} of ${vault}`]
  })
  await look.check('report-data', async () => {
    const bound = await reportData(evidence().nonce, evidence().keys)
    if (!same(bound, quote().reportData)) throw new Error('the quote binds something else')
    return [toHex(bound)]
  })
  await look.check('tls-key', () => {
    const { tls } = evidence().keys
    if (question.tlsKey === null) {
      if (question.tlsKeyUnseen !== 'accepted') throw new Error('the platform does not show the key of the connection')
      return ['not seen, which was accepted']
    }
    const seen = toHex(question.tlsKey)
    if (seen !== tls) throw new Error(`the connection ends at ${seen}`)
    return [tls]
  })
  await look.check('nats-authorities', async () => {
    const named = evidence().keys.nats ?? []
    const versions = named.length === 0 ? 'names none' : `names ${named.map(({ version }) => `version ${version}`).join(', ')}`
    if (question.markets === undefined) return [`${versions}; what traders are told was not asked for`]
    const trusted = await toldToTrust(question.markets)
    if (trusted === null) return [`${versions}; traders reach no NATS`]
    const strange = trusted.find((told) => named.every(({ certificate }) => certificate !== told))
    if (strange !== undefined) throw new Error(`traders are told to trust the certificate ${strange}`)
    // By the web's certificates, whoever controls the name may stand between.
    if (trusted.length === 0 && named.length > 0) throw new Error('traders are told of no authority, where the enclave has one')
    return [versions]
  })
  await look.check('engine-key', async () => {
    const { engine, engines = [], channel } = evidence().keys
    const { registeredEngine } = question
    const registered = typeof registeredEngine === 'string' ? registeredEngine : await registeredEngine(channel)
    if (registered === engine) return [engine]
    // Another version, which it uses as long as the vault obeys that.
    const other = engines.find(({ key }) => key === registered)
    if (other === undefined) throw new Error(`the vault has ${registered ?? 'none'}, and the enclave ${[engine, ...engines.map(({ key }) => key).filter((key) => key !== engine)].join(', ')}`)
    return [`${other.key}, version ${other.version}`]
  })
  return { ok: look.checks.every(({ ok }) => ok), checks: look.checks }
}

async function attributes(look: Examination, held: () => Bytes): Promise<void> {
  const words = (): readonly [low: number, high: number] => [new DataView(held().buffer).getUint32(0, true), new DataView(held().buffer).getUint32(4, true)]
  const without = async (name: CheckName, unwanted: () => boolean): Promise<void> => {
    await look.check(name, () => {
      if (unwanted()) throw new Error(`attributes ${toHex(held())}`)
      return [`attributes ${toHex(held())}`]
    })
  }
  await without('debug', () => (words()[0] & DEBUGGING) !== 0)
  await without('sept-ve-disable', () => (words()[0] & SEPT_VE_DISABLE) === 0)
  await without('td-attributes', () => (words()[0] & ~(DEBUGGING | SEPT_VE_DISABLE | PKS)) !== 0 || words()[1] !== 0)
}

/** MRTD and RTMR0–2 of one machine of the policy, all of them: what differs is said by the machine that most of them fit. */
async function measured(look: Examination, { machines }: Policy, registers: () => readonly string[]): Promise<() => Policy['machines'][number]> {
  const names = ['mrtd', 'rtmr0', 'rtmr1', 'rtmr2'] as const satisfies readonly CheckName[]
  const fits = (machine: Policy['machines'][number]): number => names.filter((name, at) => machine[name] === registers()[at]).length
  const nearest = (): Policy['machines'][number] => machines.reduce((best, machine) => (fits(machine) > fits(best) ? machine : best))
  for (const [at, name] of names.entries()) {
    await look.check(name, () => {
      const [machine, held] = [nearest(), registers()[at]!]
      if (machine[name] !== held) throw new Error(`${held}, where ${machine.name} has ${machine[name]}`)
      return [held]
    })
  }
  return nearest
}

const Told = Type.Object({ nats: Type.Union([Type.Null(), Type.Object({ authorities: Type.Union([Type.Null(), Type.String()]) })]) })

/** @returns SHA-256 of each certificate that is to be trusted; null where traders do not reach the venue's NATS @throws Error */
async function toldToTrust(markets: unknown): Promise<readonly string[] | null> {
  if (!Value.Check(Told, markets)) throw new Error('the venue does not say whom to trust')
  const { nats } = markets
  if (nats === null) return null
  return nats.authorities === null ? [] : Promise.all(certificatesIn(nats.authorities).map(async (der) => toHex(await sha256(der))))
}

/** A chain of collateral. @throws Error */
async function issuers(pem: string, names: readonly string[], root: Bytes, now: Date): Promise<readonly [issuer: X509, root: X509]> {
  const chain = readChain(pem)
  await assertChain(chain, names)
  const [issuer, end] = chain as unknown as readonly [X509, X509]
  if (!same(end.key, root)) throw new Error('it ends at another root')
  for (const certificate of chain) assertCurrent(certificate, now)
  return [issuer, end]
}

async function signers(pem: string, root: Bytes, now: Date): Promise<readonly [string, X509]> {
  const [issuer, end] = await issuers(pem, [TCB_SIGNING, ROOT], root, now)
  assertEndEntity(issuer)
  return [`${issuer.commonName} ← ${end.commonName}`, issuer]
}

async function signedText({ key, commonName }: X509, text: string, signature: string): Promise<readonly [string]> {
  if (!(await signedBy(key, new TextEncoder().encode(text), fromAnyHex(signature)))) throw new Error(`not signed by ${commonName}`)
  return [`signed by ${commonName}`]
}

async function list(hex: string, issuer: X509): Promise<readonly [string, RevocationList]> {
  const read = readRevocationList(hex)
  if (!issuer.signsLists) throw new Error(`${issuer.commonName} may not sign lists`)
  if (!same(read.issuer, issuer.subject)) throw new Error('it names another issuer')
  if (!(await isSignedBy(read, issuer))) throw new Error(`not signed by ${issuer.commonName}`)
  return [`${read.revoked.size} revoked, signed by ${issuer.commonName}`, read]
}

function current({ from, to }: RevocationList, now: Date): readonly [string] {
  if (now < from) throw new Error(`made ${from.toISOString()}, which is yet to come`)
  if (to === null) throw new Error('it does not say when the next one is due')
  if (now >= to) throw new Error(`the next one was due ${to.toISOString()}`)
  return [`until ${to.toISOString()}`]
}

function unrevoked({ revoked }: RevocationList, certificates: readonly X509[]): readonly [string] {
  const found = certificates.find(({ serial }) => revoked.has(serial))
  if (found !== undefined) throw new Error(`${found.commonName} ${found.serial} is revoked`)
  return [[...new Set(certificates.map(({ serial }) => serial))].join(', ')]
}

function accepted(policy: Policy, verdict: Verdict): readonly [string] {
  assertAccepted(policy, verdict)
  return [[verdict.status, ...verdict.advisories].join(', ')]
}

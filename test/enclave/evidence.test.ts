import { randomBytes } from 'node:crypto'
import t from 'tap'
import { checks } from '../../src/client/enclave/checks.ts'
import type { CheckName } from '../../src/client/enclave/checks.ts'
import type { Policy } from '../../src/client/enclave/policy.ts'
import { NatsAuthority } from '../../src/enclave/natsAuthority.ts'
import { certificate, pairFrom, pem, revocationList, serial } from '../../src/enclave/simulator/certificates.ts'
import { enclaveReportAt, reportAt } from '../../src/enclave/simulator/tdxQuote.ts'
import { testPlatform } from '../../src/enclave/simulator/testPki.ts'
import type { TcbInfo } from '../../src/enclave/simulator/testPki.ts'
import type { AttestationEvidence, Collateral } from '../../src/protocol/attestation.ts'
import { appCompose, at, authorities, boot, composeFile, images, keys, markets, seed, verifiedWith } from './enclaveScene.ts'
import type { Difference } from './enclaveScene.ts'

t.setTimeout(600_000)
const HOUR_MS = 3_600_000
const past = new Date(at.getTime() - HOUR_MS)
const future = new Date(at.getTime() + HOUR_MS)
const long = { from: new Date(at.getTime() - 24 * HOUR_MS), to: new Date(at.getTime() + 24 * HOUR_MS) }
const iso = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`
const number = serial()

/** Somebody who calls himself what Intel is called. */
const rogue = { commonName: 'Intel SGX Root CA', pair: pairFrom(randomBytes(32), 'rogue') }
const rogueRoot = certificate({ ...long, commonName: 'Intel SGX Root CA', ca: 1 }, rogue.pair, rogue)
const rogueCa = { commonName: 'Intel SGX PCK Platform CA', pair: rogue.pair }
const rogueSigning = certificate({ ...long, commonName: 'Intel SGX TCB Signing', ca: null }, pairFrom(seed, 'TCB signing'), rogue)
const own = { root: pairFrom(seed, 'root'), platformCa: pairFrom(seed, 'platform CA'), tcbSigning: pairFrom(seed, 'TCB signing') }
const ownRoot = { commonName: 'Intel SGX Root CA', pair: own.root }

const flip = (offset: number) => (bytes: Buffer): void => void bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset)
const bit = (offset: number, mask: number) => (bytes: Buffer): void => void bytes.writeUInt8(bytes.readUInt8(offset) ^ mask, offset)
const shown = (members: (evidence: AttestationEvidence) => Partial<AttestationEvidence>): Difference => ({ shown: (evidence) => ({ ...evidence, ...members(evidence) }) })
const signed = (members: (collateral: Collateral) => Partial<Collateral>): Difference => ({ collateral: { signed: (collateral) => ({ ...collateral, ...members(collateral) }) } })
const info = (change: (info: TcbInfo) => unknown): Difference => ({ collateral: { tcbInfo: change } })
const tcbLevels = (status: string, advisoryIDs?: string[]): Difference => info((sound) => ({ ...sound, tcbLevels: sound.tcbLevels.map((level) => ({ ...level, tcbStatus: status, ...(advisoryIDs === undefined ? {} : { advisoryIDs }) })) }))
const accepting = (status: 'OutOfDate' | 'SWHardeningNeeded', advisories: string[]) => (policy: Policy): Policy => ({ ...policy, tcb: { ...policy.tcb, accepted: [{ status, advisories }] } })
const composed = (file: string, also: Readonly<Record<string, unknown>> = {}): Difference => ({ boot: { appCompose: appCompose({ docker_compose_file: file, ...also }) } })
const provider = (name: string, id: string): Difference => ({ boot: { keyProvider: { name, id } } })
type Events = [string, Buffer][]
const without = (events: Events, name: string): Events => events.filter(([event]) => event !== name)
const moved = (name: string, behind: string): Difference => ({
  sequence: (events) => without(events, name).flatMap((event): Events => (event[0] === behind ? [event, events.find(([one]) => one === name)!] : [event])),
})
const relogged = (change: (log: AttestationEvidence['eventLog']) => AttestationEvidence['eventLog']): Difference => shown(({ eventLog }) => ({ eventLog: change(eventLog) }))

const strangers = new NatsAuthority('local', 2, randomBytes(32))
const engineVersions = [{ version: 1, key: `G${'C'.repeat(55)}` }, { version: 2, key: keys.engine }]
const told = (authorities: string | null): Difference => ({ question: { markets: { nats: { ...markets.nats, authorities } } } })

/** Each differs from what is sound in one thing, and is caught by the check it stands under and by no other. */
const mutations: Readonly<Record<CheckName, Readonly<Record<string, Difference>>>> = {
  'evidence-form': {
    'a member that is not known': { shown: (evidence) => ({ ...evidence, extra: 1 }) },
    'another version': { shown: (evidence) => ({ ...evidence, version: 2 }) },
    'capitals in hexadecimal': shown(({ quote }) => ({ quote: quote.toUpperCase() })),
    'an event of another register': { shown: (evidence) => ({ ...evidence, eventLog: [{ ...evidence.eventLog[0]!, imr: 2 }, ...evidence.eventLog.slice(1)] }) },
    'nothing at all': { shown: () => null },
  },
  nonce: { 'made for another question': { question: { nonce: 'ff'.repeat(32) } } },
  'quote-form': {
    'another version': { quote: { report: (bytes) => void bytes.writeUInt16LE(5, reportAt.version) } },
    'an SGX quote': { quote: { report: (bytes) => void bytes.writeUInt32LE(0, reportAt.teeType) } },
    'another kind of key': { quote: { report: (bytes) => void bytes.writeUInt16LE(3, reportAt.keyType) } },
    'another vendor': { quote: { report: flip(reportAt.vendor) } },
    'cut off': shown(({ quote }) => ({ quote: quote.slice(0, -2) })),
    'something behind it': shown(({ quote }) => ({ quote: `${quote}00` })),
    'no certificates': { quote: { certification: (bytes) => (bytes.writeUInt16LE(4, enclaveReportAt.end + 64 + 2 + 32), bytes) } },
  },
  'root-key': {
    'a CA that somebody else’s root has signed too': {
      quote: {
        certification: (bytes) => {
          const chainAt = enclaveReportAt.end + 64 + 2 + 32 + 2
          const [pck] = bytes.subarray(chainAt + 4).toString().split(/(?<=-----END CERTIFICATE-----\n)/)
          const chain = Buffer.from(`${pck}${pem(certificate({ ...long, commonName: 'Intel SGX PCK Platform CA', ca: 0 }, own.platformCa, rogue))}${pem(rogueRoot)}\0`)
          const length = Buffer.alloc(4)
          length.writeUInt32LE(chain.length)
          return Buffer.concat([bytes.subarray(0, chainAt), length, chain])
        },
      },
    },
  },
  'pck-chain': {
    'a PCK certificate of another name': { pki: { pck: { commonName: 'Intel SGX TCB Signing' } } },
    'a PCK certificate that is a CA': { pki: { pck: { ca: 0 } } },
    'a platform CA that is none': { pki: { platformCa: { ca: null, usage: 0b110_0000 } } },
    'a platform CA that may not sign certificates': { pki: { platformCa: { usage: 0b100_0000 } } },
    'a root that may have no CA behind its CAs': { pki: { root: { ca: 0 } } },
    'an extension that has to be understood': {
      quote: { certification: (bytes) => Buffer.from(bytes.toString('latin1').replace('-----BEGIN CERTIFICATE-----\nMII', '-----BEGIN CERTIFICATE-----\nMIJ'), 'latin1') },
    },
    'PEM in another spelling': { quote: { certification: (bytes) => Buffer.from(bytes.toString('latin1').replace('-----END CERTIFICATE-----\n', '-----END CERTIFICATE-----\t'), 'latin1') } },
  },
  'pck-validity': { expired: { pki: { pck: { to: past } } }, 'not valid yet': { pki: { pck: { from: future } } } },
  'qe-signature': { 'a signature that is not one': { quote: { enclaveSignature: flip(9) } } },
  'attestation-key': {
    'another key in the report': { quote: { enclaveReport: flip(enclaveReportAt.reportData) } },
    'something in the half that is empty': { quote: { enclaveReport: flip(enclaveReportAt.reportData + 63) } },
    'other data beside the key': { quote: { certification: (bytes) => (flip(enclaveReportAt.end + 64 + 2)(bytes), bytes) } },
  },
  'quote-signature': { 'a signature that is not one': { quote: { signature: flip(9) } } },
  collateral: {
    none: shown(() => ({ collateral: null })),
    'a member too few': { question: { collateral: { pck_crl: '' } } },
  },
  'crl-chain': {
    'another CA': signed(({ pck_crl_issuer_chain }) => ({ pck_crl_issuer_chain: pem(certificate({ ...long, commonName: 'Intel SGX PCK Platform CA', ca: 0 }, rogue.pair, ownRoot)) + pck_crl_issuer_chain.split(/(?<=-----END CERTIFICATE-----\n)/)[1]! })),
    'another root': signed(() => ({ pck_crl_issuer_chain: pem(certificate({ ...long, commonName: 'Intel SGX PCK Platform CA', ca: 0 }, own.platformCa, rogue)) + pem(rogueRoot) })),
    'an issuer that has expired': signed(({ pck_crl_issuer_chain }) => ({ pck_crl_issuer_chain: pem(certificate({ ...long, to: past, commonName: 'Intel SGX PCK Platform CA', ca: 0 }, own.platformCa, ownRoot)) + pck_crl_issuer_chain.split(/(?<=-----END CERTIFICATE-----\n)/)[1]! })),
  },
  'pck-crl': {
    'signed by somebody else': signed(() => ({ pck_crl: Buffer.from(revocationList({ ...long, revoked: [] }, rogueCa)).toString('hex') })),
    'the list of the root': signed(({ root_ca_crl }) => ({ pck_crl: root_ca_crl })),
    'no list': signed(() => ({ pck_crl: '3000' })),
    'a signature of numbers that are no INTEGER': signed(({ pck_crl }) => ({ pck_crl: pck_crl.replace(/02(20[0-9a-f]{64}|21[0-9a-f]{66}|1f[0-9a-f]{62}|1e[0-9a-f]{60})$/, '0a$1') })),
    'a CA that may not sign lists': { pki: { platformCa: { usage: 0b10_0000 } } },
  },
  'pck-crl-freshness': { 'out of date': { pki: { pckCrl: { to: past } } }, 'never out of date': { pki: { pckCrl: { to: null } } }, 'made tomorrow': { pki: { pckCrl: { from: future } } } },
  'pck-revoked': { 'by its number': { pki: { pck: { serial: number }, pckCrl: { revoked: [serial(), number] } } } },
  'root-crl': {
    'signed by somebody else': signed(() => ({ root_ca_crl: Buffer.from(revocationList({ ...long, revoked: [] }, rogue)).toString('hex') })),
    'the list of the platform CA': signed(({ pck_crl }) => ({ root_ca_crl: pck_crl })),
    'a root that may not sign lists': { pki: { root: { usage: 0b10_0000 } } },
  },
  'root-crl-freshness': { 'out of date': { pki: { rootCrl: { to: past } } }, 'never out of date': { pki: { rootCrl: { to: null } } }, 'made tomorrow': { pki: { rootCrl: { from: future } } } },
  'ca-revoked': { 'the platform CA': { pki: { platformCa: { serial: number }, rootCrl: { revoked: [number] } } } },
  'signing-revoked': { 'the TCB signing certificate': { pki: { tcbSigning: { serial: number }, rootCrl: { revoked: [number] } } } },
  'tcb-info-chain': {
    'signed by somebody else': signed(({ tcb_info_issuer_chain }) => ({ tcb_info_issuer_chain: pem(rogueSigning) + tcb_info_issuer_chain.split(/(?<=-----END CERTIFICATE-----\n)/)[1]! })),
    'another root': signed(() => ({ tcb_info_issuer_chain: pem(rogueSigning) + pem(rogueRoot) })),
    'a platform CA in its place': signed(({ pck_crl_issuer_chain }) => ({ tcb_info_issuer_chain: pck_crl_issuer_chain })),
    expired: signed(({ tcb_info_issuer_chain }) => ({ tcb_info_issuer_chain: pem(certificate({ ...long, to: past, commonName: 'Intel SGX TCB Signing', ca: null }, own.tcbSigning, ownRoot)) + tcb_info_issuer_chain.split(/(?<=-----END CERTIFICATE-----\n)/)[1]! })),
  },
  'tcb-info-signature': {
    'a level that was changed': signed(({ tcb_info }) => ({ tcb_info: tcb_info.replace('2018-01-04', '2018-01-05') })),
    'the signature of the other text': signed(({ qe_identity_signature }) => ({ tcb_info_signature: qe_identity_signature })),
  },
  'tcb-info-form': { 'of SGX': info((sound) => ({ ...sound, id: 'SGX' })), 'another version': info((sound) => ({ ...sound, version: 4 })), 'fifteen components': info((sound) => ({ ...sound, tcbLevels: [{ ...sound.tcbLevels[0]!, tcb: { ...sound.tcbLevels[0]!.tcb, sgxtcbcomponents: [] } }] })) },
  'tcb-info-freshness': { 'out of date': info((sound) => ({ ...sound, nextUpdate: iso(past) })), 'issued tomorrow': info((sound) => ({ ...sound, issueDate: iso(future) })) },
  'platform-match': { 'another FMSPC': info((sound) => ({ ...sound, fmspc: '00A0C0DE0001' })), 'another PCE': info((sound) => ({ ...sound, pceId: '0001' })) },
  'qe-identity-chain': {
    'signed by somebody else': signed(({ qe_identity_issuer_chain }) => ({ qe_identity_issuer_chain: pem(rogueSigning) + qe_identity_issuer_chain.split(/(?<=-----END CERTIFICATE-----\n)/)[1]! })),
    'another root': signed(() => ({ qe_identity_issuer_chain: pem(rogueSigning) + pem(rogueRoot) })),
  },
  'qe-identity-signature': { 'a level that was changed': signed(({ qe_identity }) => ({ qe_identity: qe_identity.replace('2020-01-01', '2020-01-02') })) },
  'qe-identity-form': { 'of SGX': { collateral: { qeIdentity: (sound) => ({ ...sound, id: 'QE' }) } }, 'another version': { collateral: { qeIdentity: (sound) => ({ ...sound, version: 1 }) } } },
  'qe-identity-freshness': { 'out of date': { collateral: { qeIdentity: (sound) => ({ ...sound, nextUpdate: iso(past) }) } }, 'issued tomorrow': { collateral: { qeIdentity: (sound) => ({ ...sound, issueDate: iso(future) }) } } },
  evaluation: { 'older than the policy allows': { policy: (policy) => ({ ...policy, tcb: { ...policy.tcb, minimumEvaluation: 18 } }) }, 'one of both': { collateral: { qeIdentity: (sound) => ({ ...sound, tcbEvaluationDataNumber: 16 }) } } },
  'qe-identity': {
    'another signer': { quote: { enclaveReport: flip(enclaveReportAt.mrSigner) } },
    'another product': { quote: { enclaveReport: flip(enclaveReportAt.isvProdId) } },
    'in debug mode': { quote: { enclaveReport: bit(enclaveReportAt.attributes, 2) } },
    'another MISCSELECT': { quote: { enclaveReport: flip(enclaveReportAt.miscSelect) } },
  },
  'qe-status': {
    'out of date': { pki: { platform: { enclave: { ...testPlatform.enclave, isvSvn: 2 } } } },
    'older than any level': { pki: { platform: { enclave: { ...testPlatform.enclave, isvSvn: 0 } } } },
  },
  'tcb-status': {
    'a PCE that is out of date': info((sound) => ({ ...sound, tcbLevels: sound.tcbLevels.map((level, n) => (n === 0 ? { ...level, tcb: { ...level.tcb, pcesvn: 14 } } : level)) })),
    'an SGX component too low': info((sound) => ({ ...sound, tcbLevels: sound.tcbLevels.map((level) => ({ ...level, tcb: { ...level.tcb, sgxtcbcomponents: testPlatform.components.map((svn, n) => ({ svn: n === 15 ? 1 : svn })) } })) })),
    'a TDX component too low': { quote: { report: (bytes) => void bytes.writeUInt8(2, reportAt.teeTcbSvn + 2) } },
    revoked: { ...tcbLevels('Revoked'), policy: accepting('OutOfDate', []) },
    'an advisory that nobody has looked at': { ...tcbLevels('SWHardeningNeeded', ['INTEL-SA-00615', 'INTEL-SA-00657']), policy: accepting('SWHardeningNeeded', ['INTEL-SA-00615']) },
    'another status than the one that is accepted': { ...tcbLevels('SWHardeningNeeded', ['INTEL-SA-00615']), policy: accepting('OutOfDate', ['INTEL-SA-00615']) },
    'a status that nobody knows': tcbLevels('Splendid'),
  },
  'module-identity': {
    'a module that Intel does not name': { quote: { report: (bytes) => void bytes.writeUInt8(7, reportAt.teeTcbSvn + 1) } },
    'other attributes': { quote: { report: flip(reportAt.seamAttributes) } },
    'another signer than Intel names': info((sound) => ({ ...sound, tdxModuleIdentities: sound.tdxModuleIdentities.map((one) => ({ ...one, mrsigner: '11'.repeat(48) })) })),
  },
  'module-status': {
    'out of date': { quote: { report: (bytes) => void bytes.writeUInt8(3, reportAt.teeTcbSvn) } },
    'older than any level': { quote: { report: (bytes) => void bytes.writeUInt8(1, reportAt.teeTcbSvn) } },
  },
  'module-signer': {
    'a module that is not Intel’s, which the TCB information names': {
      quote: { report: (bytes) => void bytes.fill(0x77, reportAt.mrSignerSeam, reportAt.mrSignerSeam + 48) },
      ...info((sound) => ({ ...sound, tdxModuleIdentities: sound.tdxModuleIdentities.map((one) => ({ ...one, mrsigner: '77'.repeat(48) })) })),
    },
  },
  debug: { 'the debug bit': { quote: { report: bit(reportAt.tdAttributes, 1) } }, 'a reserved bit of the same byte': { quote: { report: bit(reportAt.tdAttributes, 0x80) } } },
  'sept-ve-disable': { off: { quote: { report: bit(reportAt.tdAttributes + 3, 0x10) } } },
  'td-attributes': {
    migratable: { quote: { report: bit(reportAt.tdAttributes + 3, 0x20) } },
    'performance counters': { quote: { report: bit(reportAt.tdAttributes + 7, 0x80) } },
    'a reserved bit': { quote: { report: bit(reportAt.tdAttributes + 1, 1) } },
  },
  mrtd: { 'other firmware': { measured: { mrtd: '12'.repeat(48) } } },
  rtmr0: {
    'other hardware': { measured: { rtmr0: '99'.repeat(48) } },
    'hardware of another machine': { measured: { rtmr0: '23'.repeat(48) }, policy: (policy) => ({ ...policy, machines: policy.machines.map((machine, n) => (n === 1 ? { ...machine, rtmr1: '34'.repeat(48) } : machine)) }) },
  },
  rtmr1: { 'another kernel': { measured: { rtmr1: '99'.repeat(48) } } },
  rtmr2: { 'another command line': { measured: { rtmr2: '99'.repeat(48) } } },
  'event-digests': { 'a digest that is not the event’s': relogged((log) => log.map((event, n) => (n === 8 ? { ...event, digest: '00'.repeat(48) } : event))) },
  rtmr3: {
    'an event left out': relogged((log) => log.filter(({ event }) => event !== 'storage-fs')),
    'an event added': relogged((log) => [...log, { ...log[0]!, digest: '', event: 'more' }]),
    'an event moved': relogged((log) => [log[8]!, ...log.slice(0, 8), log[9]!]),
    'a payload changed, with no digest': relogged((log) => log.map((event) => (event.event === 'storage-fs' ? { ...event, event_payload: '00', digest: '' } : event))),
    'a name and a payload that read the same': relogged((log) => log.map((event) => (event.event === 'storage-fs' ? { ...event, event: 'storage', digest: '' } : event))),
  },
  'boot-events': {
    'the app said twice': { sequence: (events) => [...events, ['app-id', Buffer.from('dd'.repeat(20), 'hex')]] },
    'the very same said twice': { sequence: (events) => [...events.slice(0, 3), events[2]!, ...events.slice(3)] },
    'the app left out': { sequence: (events) => without(events, 'app-id') },
    'the app after its boundary': moved('app-id', 'boot-mr-done'),
    'the compose file after its boundary': moved('compose-hash', 'storage-fs'),
    'the KMS said by the application': moved('key-provider', 'system-ready'),
    'the OS image said by the application': moved('os-image-hash', 'system-ready'),
    'boundaries in another order': moved('boot-mr-done', 'system-ready'),
    'no end of booting': { sequence: (events) => without(events, 'system-ready') },
    'booted twice': { sequence: (events) => [...events, ['system-ready', Buffer.alloc(0)]] },
  },
  'os-image': { 'another image': { boot: { osImageHash: 'cd'.repeat(32) } } },
  'vm-config': { 'for another image': shown(() => ({ vmConfig: JSON.stringify({ os_image_hash: 'cd'.repeat(32) }) })), 'no JSON': shown(() => ({ vmConfig: '{' })) },
  'compose-hash': {
    'a space more': shown((evidence) => ({ appCompose: `${evidence.appCompose} ` })),
    'the same JSON in another order': shown((evidence) => ({ appCompose: JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(evidence.appCompose) as object).reverse())) })),
  },
  'compose-published': { 'a build that the policy does not name': { policy: (policy) => ({ ...policy, builds: policy.builds.map((build) => ({ ...build, composeHash: '00'.repeat(32) })) }) } },
  'compose-closed': {
    'logs for everybody': { boot: { appCompose: appCompose({ public_logs: true }) } },
    'logs as they are by default': { boot: { appCompose: appCompose({ public_logs: undefined }) } },
    'its state for everybody': { boot: { appCompose: appCompose({ public_sysinfo: true }) } },
    'no KMS': { boot: { appCompose: appCompose({ kms_enabled: false }) } },
    'keys made on the spot': { boot: { appCompose: appCompose({ local_key_provider_enabled: true }) } },
  },
  images: {
    'a tag': composed(composeFile.replace(/@sha256:1+/, ':latest')),
    'a tag in another service': composed(`${composeFile}  more:\n    image: registry.example/more:1\n`),
    'an image that the policy does not name': composed(composeFile.replace(/1{64}/, '7'.repeat(64))),
    'an image that the environment names': composed(composeFile.replace(/@sha256:1+/, '@${DIGEST}')),
    'built on the spot': composed(`${composeFile}    build: .\n`),
    'built on the spot, by a merge': composed(`x-base: &base\n  build: .\n${composeFile}    <<: *base\n`),
    'taken from another file': composed(`${composeFile}    extends: {file: other.yml, service: venue}\n`),
    'other files': composed(`include: [other.yml]\n${composeFile}`),
    'a second document': composed(`${composeFile}---\nservices: {}\n`),
    'a member twice': composed(composeFile.replace(images[0]!, `${images[0]}\n    image: registry.example/other:1`)),
    'an image as a volume': composed(`${composeFile}    volumes:\n      - {type: image, source: "registry.example/data:1", target: /data}\n`),
    'no services': composed('services: {}\n'),
    'another runner': composed(composeFile, { runner: 'bash' }),
  },
  'app-id': { 'another app': { boot: { appId: 'ab'.repeat(20) } } },
  'key-provider': {
    'another KMS': provider('kms', '31'.repeat(60)),
    'the host': provider('local-sgx', boot.keyProvider.id),
    none: provider('none', ''),
    'a KMS and more': { sequence: (events) => events.map(([name, payload]) => [name, name === 'key-provider' ? Buffer.from('[]') : payload]) },
  },
  venue: { 'another network': { keys: { network: 'Public Global Stellar Network ; September 2015' } }, 'another vault': { keys: { vault: `C${'B'.repeat(55)}` } }, 'another channel': { keys: { channel: 4 } } },
  'report-data': {
    'bound to another nonce': { bound: { nonce: '00'.repeat(32) } },
    'bound to another TLS key': { bound: { keys: { ...keys, tls: '30' } } },
    'a feed key more': shown((evidence) => ({ keys: { ...evidence.keys, feed: [...evidence.keys.feed, { version: 2, commitment: '00'.repeat(32) }] } })),
    'a version of the engine’s key more': { ...shown((evidence) => ({ keys: { ...evidence.keys, engines: engineVersions } })), question: { registeredEngine: engineVersions[0]!.key } },
    'another authority over nats-servers': { ...shown((evidence) => ({ keys: { ...evidence.keys, nats: [{ version: 1, certificate: strangers.fingerprint }] } })), ...told(strangers.certificate) },
    'no authority, where there is one': { shown: ({ ...evidence }) => ({ ...evidence, keys: { ...evidence.keys, nats: undefined } }), ...told(null) },
    'another journal key': shown((evidence) => ({ keys: { ...evidence.keys, journal: '00'.repeat(32) } })),
  },
  'tls-key': { 'somebody between': { question: { tlsKey: rogue.pair.spki } }, 'a connection that shows no key': { question: { tlsKey: null } } },
  'nats-authorities': {
    'an authority that the enclave does not name': told(strangers.certificate),
    'one more than it names': told(markets.nats.authorities + strangers.certificate),
    'the same key in another certificate': told(new NatsAuthority('local', 4, seed).certificate),
    'no authority, where there is one': told(null),
    'an authority, where there is none': { noAuthority: true },
    'those of another app': { keys: { nats: [{ version: 2, certificate: strangers.fingerprint }] } },
    'no certificate': told('by hand'),
    'nothing said': { question: { markets: null } },
    'something else said': { question: { markets: { nats: {} } } },
  },
  'engine-key': {
    'another key in the vault, where there are several': { question: { registeredEngine: `G${'B'.repeat(55)}` }, keys: { engines: engineVersions } },
    'another key in the vault': { question: { registeredEngine: `G${'B'.repeat(55)}` } },
    'a chain that does not answer': { question: { registeredEngine: () => Promise.reject(new Error('no answer')) } },
  },
}

void t.test('what is sound passes every check', async (t) => {
  for (const [name, difference] of Object.entries<Difference>({
    'as it is': {},
    'events without digests, as newer guests log them': relogged((log) => log.map((event) => ({ ...event, digest: '' }))),
    'what an application measures behind the boundary': { sequence: (events) => [...events, ['darkpool', Buffer.from('mine')]] },
    'no VM configuration': shown(() => ({ vmConfig: '' })),
    'a status whose advisories were all looked at': { ...tcbLevels('SWHardeningNeeded', ['INTEL-SA-00615']), policy: accepting('SWHardeningNeeded', ['INTEL-SA-00615', 'INTEL-SA-00657']) },
    'a connection that is not seen, where that was accepted': { question: { tlsKey: null, tlsKeyUnseen: 'accepted' } },
    'an engine that the chain is asked for': { question: { registeredEngine: async (channel) => (channel === 3 ? keys.engine : '') } },
    'nats-servers that are certified by others': { noAuthority: true, ...told(null) },
    'an authority that servers have no more': told(authorities[0]!.certificate),
    'traders that are told nothing, for they reach no NATS': { question: { markets: { nats: null } } },
    'another version of the engine’s key, which the vault obeys still': { question: { registeredEngine: engineVersions[0]!.key }, keys: { engines: engineVersions } },
    'other machines': { measured: { rtmr0: '23'.repeat(48) } },
    'a module of TDX 1.0': { pki: { platform: { teeTcbSvn: '05000300000000000000000000000000' } } },
  })) {
    const { ok, checks: found } = await verifiedWith(difference)
    t.ok(ok, `${name}${found.filter((check) => !check.ok).map((check) => `: ${check.name}: ${check.evidence}`).join('')}`)
    t.same(found.map((check) => check.name), Object.keys(checks), 'every check is made, in the order of the table')
  }
})

for (const [name, under] of Object.entries(mutations)) {
  void t.test(`caught by ${name} alone`, async (t) => {
    for (const [what, difference] of Object.entries(under)) {
      const { ok, checks: found } = await verifiedWith(difference)
      t.same(found.filter((check) => !check.ok && check.blockedBy === null).map((check) => check.name), [name], `${what}: ${found.find((check) => check.name === name)!.evidence}`)
      t.equal(ok, false)
      t.ok(found.every((check) => check.evidence.length > 0 && check.evidence.length <= 601))
    }
  })
}

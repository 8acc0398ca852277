import { Type } from 'typebox'
import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { firstFault } from '../../protocol/attestation.ts'
import { fromAnyHex } from '../../protocol/hex.ts'
import { same } from './bytes.ts'
import type { Bytes } from './bytes.ts'
import type { PlatformIdentity } from './platformExtension.ts'
import type { EnclaveReport, TdxQuote } from './tdxQuote.ts'

// What Intel says of platforms, of the TDX module and of the quoting enclave: TCB info version 3 and enclave identity version 2 of its provisioning certification service. Members that are not
// named here are signed like the others, and say nothing that is asked.

const hex = (bytes: number) => Type.String({ pattern: `^[0-9a-fA-F]{${bytes * 2}}$` })
const Time = Type.String({ pattern: '^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$' })
const Svn = Type.Integer({ minimum: 0, maximum: 0xffff })
const Components = Type.Array(Type.Object({ svn: Type.Integer({ minimum: 0, maximum: 0xff }) }), { minItems: 16, maxItems: 16 })
const issued = { issueDate: Time, nextUpdate: Time, tcbEvaluationDataNumber: Type.Integer({ minimum: 0 }) }
const verdict = { tcbStatus: Type.String({ maxLength: 64 }), advisoryIDs: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 256 })) }
const module = { mrsigner: hex(48), attributes: hex(8), attributesMask: hex(8) }
const SvnLevels = Type.Array(Type.Object({ tcb: Type.Object({ isvsvn: Svn }), ...verdict }), { maxItems: 256 })

const TcbInfo = Type.Object({
  id: Type.String(),
  version: Type.Integer(),
  ...issued,
  fmspc: hex(6),
  pceId: hex(2),
  tdxModule: Type.Object(module),
  tdxModuleIdentities: Type.Optional(Type.Array(Type.Object({ id: Type.String({ maxLength: 16 }), ...module, tcbLevels: SvnLevels }), { maxItems: 64 })),
  tcbLevels: Type.Array(Type.Object({ tcb: Type.Object({ sgxtcbcomponents: Components, pcesvn: Svn, tdxtcbcomponents: Components }), ...verdict }), { maxItems: 256 }),
})
export type TcbInfo = Static<typeof TcbInfo>

const EnclaveIdentity = Type.Object({
  id: Type.String(),
  version: Type.Integer(),
  ...issued,
  miscselect: hex(4),
  miscselectMask: hex(4),
  attributes: hex(16),
  attributesMask: hex(16),
  mrsigner: hex(32),
  isvprodid: Svn,
  tcbLevels: SvnLevels,
})
export type EnclaveIdentity = Static<typeof EnclaveIdentity>

/** How a security version is judged. */
export interface Verdict {
  readonly status: string
  readonly advisories: readonly string[]
}

/** @throws Error */
export function readTcbInfo(text: string): TcbInfo {
  const info = read(TcbInfo, text)
  if (info.id !== 'TDX' || info.version !== 3) throw new Error('no TCB information of TDX in version 3')
  return info
}

/** @throws Error */
export function readEnclaveIdentity(text: string): EnclaveIdentity {
  const identity = read(EnclaveIdentity, text)
  if (identity.id !== 'TD_QE' || identity.version !== 2) throw new Error('no identity of the quoting enclave of TDs in version 2')
  return identity
}

/**
 * The highest TCB level that the platform reaches: by the security versions in its PCK certificate and in the quote. Where the TDX module has an identity of its own, its version is judged there.
 * @throws Error where it reaches none
 */
export function platformVerdict({ tcbLevels }: TcbInfo, platform: PlatformIdentity, { teeTcbSvn }: TdxQuote): Verdict {
  const first = teeTcbSvn[1] === 0 ? 0 : 2
  for (const { tcb, ...level } of tcbLevels) {
    if (platform.pceSvn < tcb.pcesvn) continue
    if (tcb.sgxtcbcomponents.some(({ svn }, at) => platform.components[at]! < svn)) continue
    if (tcb.tdxtcbcomponents.some(({ svn }, at) => at >= first && teeTcbSvn[at]! < svn)) continue
    return verdictOf(level)
  }
  throw new Error('the platform reaches none of the levels that Intel names')
}

/** The signer and attributes that Intel gives the TDX module of the quote, and how its version is judged; null where the platform's level judges it. @throws Error where Intel does not know the module */
export function moduleOf({ tdxModule, tdxModuleIdentities = [] }: TcbInfo, { teeTcbSvn }: TdxQuote): { readonly module: TcbInfo['tdxModule']; readonly levels: Static<typeof SvnLevels> | null; readonly name: string } {
  const version = teeTcbSvn[1]!
  if (version === 0) return { module: tdxModule, levels: null, name: 'TDX module 1.0' }
  const id = `TDX_${version.toString(16).padStart(2, '0').toUpperCase()}`
  const known = tdxModuleIdentities.filter((identity) => identity.id.toUpperCase() === id)
  if (known.length !== 1) throw new Error(`Intel names ${known.length === 0 ? 'no' : 'more than one'} TDX module ${id}`)
  return { module: known[0]!, levels: known[0]!.tcbLevels, name: `TDX module ${id}` }
}

/** @throws Error that says what differs */
export function assertModule({ mrsigner, attributes, attributesMask }: TcbInfo['tdxModule'], { mrSignerSeam, seamAttributes }: TdxQuote): void {
  if (!same(mrSignerSeam, fromAnyHex(mrsigner))) throw new Error('the TDX module has another signer than Intel names')
  if (!masked(seamAttributes, attributes, attributesMask)) throw new Error('the TDX module has other attributes than Intel names')
}

/** @throws Error that says what differs */
export function assertEnclave(identity: EnclaveIdentity, enclave: EnclaveReport): void {
  if (!same(enclave.mrSigner, fromAnyHex(identity.mrsigner))) throw new Error('the quoting enclave has another signer than Intel names')
  if (enclave.isvProdId !== identity.isvprodid) throw new Error('the quoting enclave is another product than Intel names')
  if (!masked(enclave.miscSelect, identity.miscselect, identity.miscselectMask)) throw new Error('the quoting enclave has another MISCSELECT than Intel names')
  if (!masked(enclave.attributes, identity.attributes, identity.attributesMask)) throw new Error('the quoting enclave has other attributes than Intel names')
}

/** @throws Error where it reaches no level */
export function svnVerdict(levels: Static<typeof SvnLevels>, svn: number): Verdict {
  const level = levels.find(({ tcb }) => svn >= tcb.isvsvn)
  if (level === undefined) throw new Error(`security version ${svn} reaches none of the levels that Intel names`)
  return verdictOf(level)
}

/** @throws Error */
export function assertFresh({ issueDate, nextUpdate }: { readonly issueDate: string; readonly nextUpdate: string }, now: Date): void {
  if (!(now >= new Date(issueDate))) throw new Error(`issued ${issueDate}, which is yet to come`)
  if (!(now < new Date(nextUpdate))) throw new Error(`the next issue was due ${nextUpdate}`)
}

function verdictOf({ tcbStatus, advisoryIDs = [] }: { readonly tcbStatus: string; readonly advisoryIDs?: readonly string[] | undefined }): Verdict {
  return { status: tcbStatus, advisories: advisoryIDs }
}

function masked(value: Bytes, expected: string, mask: string): boolean {
  const [wanted, counted] = [fromAnyHex(expected), fromAnyHex(mask)]
  return value.length === wanted.length && value.every((byte, at) => (byte & counted[at]!) === (wanted[at]! & counted[at]!))
}

function read<Schema extends TSchema>(schema: Schema, text: string): Static<Schema> {
  const value: unknown = JSON.parse(text)
  if (!Value.Check(schema, value)) throw new Error(firstFault(schema, value))
  return value
}

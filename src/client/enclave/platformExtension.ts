import { fromBER, Integer, ObjectIdentifier, OctetString, Sequence } from 'asn1js'
import { toHex } from '../../protocol/hex.ts'
import type { Bytes } from './bytes.ts'
import type { X509 } from './certificate.ts'

const SGX = '1.2.840.113741.1.13.1'
const COMPONENTS = 16

/** What Intel's extension of a PCK certificate says of the platform. */
export interface PlatformIdentity {
  /** Hexadecimal. */
  readonly fmspc: string
  readonly pceId: string
  readonly pceSvn: number
  /** Sixteen security versions. */
  readonly components: readonly number[]
}

/** @throws Error where there is no such extension, or something is missing, double or of another kind */
export function platformIdentity({ extensions }: X509): PlatformIdentity {
  const der = extensions.get(SGX)
  if (der === undefined) throw new Error('the PCK certificate does not say which platform it is for')
  const members = membersOf(der)
  const tcb = membersIn(required(members, '2'))
  return {
    fmspc: octets(required(members, '4'), 6),
    pceId: octets(required(members, '3'), 2),
    pceSvn: whole(required(tcb, '2.17'), 0xffff),
    components: Array.from({ length: COMPONENTS }, (_, at) => whole(required(tcb, `2.${at + 1}`), 0xff)),
  }
}

function membersOf(der: Bytes): ReadonlyMap<string, unknown> {
  const { result, offset } = fromBER(der)
  if (offset !== der.length) throw new Error('not one whole DER value')
  return membersIn(result)
}

function membersIn(value: unknown): ReadonlyMap<string, unknown> {
  if (!(value instanceof Sequence)) throw new Error('no sequence')
  const members = new Map<string, unknown>()
  for (const member of value.valueBlock.value) {
    const [id, content] = member instanceof Sequence ? member.valueBlock.value : []
    if (!(id instanceof ObjectIdentifier) || content === undefined) throw new Error('no member')
    const oid = id.getValue()
    if (members.has(oid)) throw new Error(`${oid} is there twice`)
    members.set(oid, content)
  }
  return members
}

function required(members: ReadonlyMap<string, unknown>, at: string): unknown {
  const value = members.get(`${SGX}.${at}`)
  if (value === undefined) throw new Error(`${SGX}.${at} is missing`)
  return value
}

function octets(value: unknown, length: number): string {
  if (!(value instanceof OctetString) || value.valueBlock.valueHexView.length !== length) throw new Error(`not ${length} bytes`)
  return toHex(value.valueBlock.valueHexView)
}

function whole(value: unknown, most: number): number {
  const number = value instanceof Integer && !value.valueBlock.isHexOnly ? value.valueBlock.valueDec : -1
  if (number < 0 || number > most) throw new Error(`not a number up to ${most}`)
  return number
}

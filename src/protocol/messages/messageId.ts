import { hash } from 'node:crypto'
import type { MessageId } from '../identity.ts'
import { canonicalText } from './canonical.ts'
import type { SignedMembers } from './canonical.ts'

const PREFIX = 'Stellar Signed Message:\n'

/** SEP-53: sha256("Stellar Signed Message:\n" ‖ canonical bytes), the 32 bytes that the signature is over, in hex: the message's id. */
export function messageId(members: SignedMembers): MessageId {
  return hash('sha256', PREFIX + canonicalText(members), 'hex') as MessageId
}

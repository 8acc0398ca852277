import { encode } from '../../protocol/codec.ts'
import type { ActorState } from './actorState.ts'
import type { Asked } from './answering.ts'
import type { Links } from './links.ts'
import type { Mail } from './mailbox.ts'
import { inputTag } from './record.ts'
import type { RecordInput } from './record.ts'

/** A part of a batch: what is journaled, and how the machine takes it. */
export interface Work {
  readonly input: RecordInput
  readonly apply: () => void
}

/** What of a piece of mail is to be journaled and how it is applied; queries are put aside, and what a peer repeats is left out. */
export function sortMail(mail: Mail, memory: ActorState, links: Links, asked: Asked[]): Work[] {
  if (mail.kind === 'local') return [{ input: { tag: inputTag.local, bytes: mail.bytes }, apply: () => memory.applyLocal(mail.input) }]
  if (mail.kind === 'peer') {
    const skip = links.accept(mail.packet)
    if (skip === undefined) return []
    return [{ input: { tag: inputTag.peer, bytes: mail.bytes }, apply: () => memory.applyPeer(mail.packet, skip) }]
  }
  const { gateway, items } = mail.packet
  const queries = items.filter((item) => 'query' in item)
  for (const { request, query } of queries) asked.push({ reply: { gateway, request }, query })
  if (queries.length === items.length) return []
  // Gateways send queries in packets of their own; where one did not, its commands alone are journaled.
  const packet = queries.length === 0 ? mail.packet : { gateway, items: items.filter((item) => 'command' in item) }
  const bytes = queries.length === 0 ? mail.bytes : encode(packet)
  return [{ input: { tag: inputTag.client, bytes }, apply: () => memory.applyClient(packet) }]
}

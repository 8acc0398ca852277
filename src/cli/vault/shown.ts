import { scValToNative } from '@stellar/stellar-sdk'
import type { Transaction, xdr } from '@stellar/stellar-sdk'
import { formatDecimal } from '../../protocol/decimal.ts'
import { isoTime } from '../../protocol/view.ts'
import { costOf } from '../../settlement/governance/cost.ts'
import { deedsOf, plain, plainText } from '../../settlement/governance/envelope.ts'
import type { Quorum, Signed } from '../../settlement/governance/quorum.ts'
import { networkLimits } from '../../settlement/networkLimits.ts'
import { hashOf } from '../../settlement/transaction.ts'
import { facts } from '../table.ts'

/** Of a stroop, 10⁷ are one XLM. */
const XLM_DIGITS = 7

export interface Sheet {
  /** null where only the transaction itself says what it does. */
  readonly what: string | null
  readonly transaction: Transaction
  readonly returned: xdr.ScVal | undefined
  readonly quorum: Quorum
  readonly signed: Signed
}

/** A transaction as whoever signs it should see it: what it does, what it costs, whose hands it takes. */
export function shown({ what, transaction, returned, quorum, signed }: Sheet): { readonly text: string; readonly json: object } {
  const cost = costOf(transaction)
  const most = cost.resourceFee_stroops + cost.bid_stroops
  const calls = deedsOf(transaction)
  const { maxTime } = transaction.timeBounds ?? {}
  const expires = maxTime === undefined || Number(maxTime) === 0 ? null : isoTime(Number(maxTime) * 1_000)
  const gives: unknown = returned === undefined ? null : scValToNative(returned)
  const signers = [...quorum.weights].map(([key, weight]) => ({ key, weight, signed: signed.by.includes(key) }))
  const share = ((cost.instructions * 100) / networkLimits.instructions).toFixed(2)
  const rows: readonly (readonly [string, string])[] = [
    ['calls', calls.join('; ')],
    ...(gives === null || gives === undefined ? [] : [['gives', plainText(gives)] as const]),
    ['network', transaction.networkPassphrase],
    ['source', `${transaction.source}, sequence ${transaction.sequence}`],
    ['costs', `at most ${formatDecimal(most, XLM_DIGITS)} XLM: ${cost.resourceFee_stroops} stroops for what it uses, ${cost.bid_stroops} for its place in a ledger`],
    ['uses', `${cost.instructions} instructions (${share} % of what one may), ${cost.readEntries} entries read, ${cost.writeEntries} written (${cost.writeBytes} bytes), ${cost.transactionBytes} bytes itself`],
    ['signed', `weight ${signed.weight} of ${quorum.needed}: ${signers.map(({ key, weight, signed }) => `${key} (${weight}${signed ? ', has signed' : ''})`).join(', ')}`],
    ['expires', expires ?? 'never'],
    ['hash', hashOf(transaction)],
  ]
  const text = [...(what === null ? [] : [what, '']), facts(rows)].join('\n')
  const { resourceFee_stroops, bid_stroops, ...used } = cost
  return {
    text,
    json: {
      what,
      calls,
      gives: plain(gives),
      network: transaction.networkPassphrase,
      source: transaction.source,
      sequence: transaction.sequence,
      fee_stroops: { most: most.toString(), resources: resourceFee_stroops.toString(), bid: bid_stroops.toString() },
      ...used,
      signatures: { weight: signed.weight, needed: quorum.needed, signers },
      expires,
      hash: hashOf(transaction),
    },
  }
}

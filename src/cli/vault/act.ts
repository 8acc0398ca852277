import { TransactionBuilder } from '@stellar/stellar-sdk'
import type { Transaction, xdr } from '@stellar/stellar-sdk'
import type { SecretSigner } from '../../client/secretSigner.ts'
import { costOf } from '../../settlement/governance/cost.ts'
import { quorumOf, signedBy } from '../../settlement/governance/quorum.ts'
import type { Quorum, Signed } from '../../settlement/governance/quorum.ts'
import type { Step } from '../../settlement/governance/step.ts'
import { exceededLimit } from '../../settlement/networkLimits.ts'
import { hashOf, prepare, submit, TransactionFailed } from '../../settlement/transaction.ts'
import type { Applied, Network, Terms } from '../../settlement/transaction.ts'
import { duration_s, whole } from '../arguments.ts'
import type { Arguments } from '../arguments.ts'
import type { Outcome } from '../command.ts'
import { Declined, UsageFault } from '../fault.ts'
import { Doubtful } from './explained.ts'
import { shown } from './shown.ts'

const BID_STROOPS = '1000'
const LIFETIME_S = 60
/** Until enough hands have signed. */
const HANDED_OUT_S = 86_400
/** An entry of the contract's may need its life extended between making and sending, which no simulation of today pays for: 1 XLM, paid back where it is not used. */
const RESERVE_STROOPS = 10_000_000n

/** How a command goes about what it is to do. */
export interface Manner {
  readonly network: Network
  /** Account whose transactions these are: its sequence numbers, its fees, its authority. */
  readonly source: string
  /** null: nobody signs, so nothing is sent. */
  readonly hand: SecretSigner | null
  readonly options: Arguments['options']
  readonly say: (text: string) => void
}

/** What a command says when nothing is left to do. */
export interface End {
  readonly text: string
  readonly json: object
  readonly failed?: boolean
}

export type Planned = () => Promise<Step<unknown>>

/**
 * Does what is left of the steps, one transaction each: shows it first, and sends it where there is a key that may. Without a key, or with `--dry-run`, it is only shown; with `--xdr`
 * handed out. Each step is planned when those before it are done, so of several only the first that is left can be shown or handed out.
 * @param end what to say of the results, once nothing is left, and of the ledger in which the last step applied: null where that was in an earlier run
 */
export async function act(manner: Manner, steps: readonly Planned[], end: (results: readonly unknown[], ledger: number | null) => End | Promise<End>): Promise<Outcome> {
  const { network, source, hand, options, say } = manner
  const handOut = options.xdr === true
  const send = hand !== null && options['dry-run'] !== true && !handOut
  if (handOut && options['dry-run'] === true) throw new UsageFault('either --dry-run or --xdr, not both')
  const terms = termsOf(options, handOut)
  const results: unknown[] = []
  const done: object[] = []
  let ledger: number | null = null
  for (const [n, plan] of steps.entries()) {
    const step = await plan()
    if (step.operation === null) {
      results.push(step.result(undefined))
      ledger = null
      done.push({ what: step.what, applied: null })
      continue
    }
    const made = await make(network, step.operation, source, terms)
    const quorum = await quorumOf(network, source)
    if (hand !== null) addSignature(made.transaction, hand, network.passphrase, quorum)
    const signed = signedBy(made.transaction, quorum)
    const sheet = shown({ what: step.what, transaction: made.transaction, returned: made.returned, quorum, signed })
    const json = { ...sheet.json, ...(handOut && { xdr: made.transaction.toXDR() }) }
    const more = n < steps.length - 1 ? '\nwhat is left after it is shown when it is done: the same command again' : ''
    if (handOut) {
      say(sheet.text)
      return { text: made.transaction.toXDR(), json: { sent: false, steps: [...done, json] } }
    }
    if (!send) return { text: `${sheet.text}\n\nnothing was sent: --key FILE or --prompt signs and sends it, --xdr hands it out${more}`, json: { sent: false, steps: [...done, json] } }
    say(sheet.text)
    const applied = await sendSigned(network, made.transaction, quorum, signed)
    results.push(step.result(applied.returnValue))
    ledger = applied.ledger
    done.push({ ...sheet.json, applied: { transaction: applied.hash, ledger: applied.ledger } })
    say(`applied in ledger ${applied.ledger}, transaction ${applied.hash}\n`)
  }
  const { text, json, failed = false } = await end(results, ledger)
  return { text, failed, json: { sent: done.some((one) => 'hash' in one), ...json, steps: done } }
}

function termsOf({ fee, expires }: Arguments['options'], handOut: boolean): Terms {
  const bid_stroops = fee === undefined ? BID_STROOPS : String(whole('fee', fee))
  if (Number(bid_stroops) < 100) throw new UsageFault(`--fee ${fee}: the network takes 100 stroops at least`)
  const lifetime_s = expires === undefined ? (handOut ? HANDED_OUT_S : LIFETIME_S) : duration_s('expires', expires)
  return { bid_stroops, lifetime_s, ...(handOut && { reserve_stroops: RESERVE_STROOPS }) }
}

async function make(network: Network, operation: xdr.Operation, source: string, terms: Terms): Promise<{ transaction: Transaction; returned: xdr.ScVal | undefined }> {
  const made = await prepare(network, operation, source, terms)
  const envelope = made.transaction.toEnvelope()
  if (envelope.type === 'envelopeTypeTx' && envelope.value.tx.ext.type === 'sorobanData') {
    const limit = exceededLimit(envelope.value.tx.ext.value, costOf(made.transaction).transactionBytes)
    if (limit !== null) throw new Declined(`it exceeds what one transaction may use: ${limit}`)
  }
  return made
}

/** Adds a key's signature, unless it is there already. @throws Declined where the key signs nothing for the account */
export function addSignature(transaction: Transaction, hand: SecretSigner, passphrase: string, quorum: Quorum): void {
  const { account, weights } = quorum
  if (!weights.has(hand.address)) throw new Declined(`the key is ${hand.address}, which does not sign for ${account}: ${[...weights.keys()].join(', ')} ${weights.size === 1 ? 'does' : 'do'}`)
  if (signedBy(transaction, quorum).by.includes(hand.address)) return
  const signed = TransactionBuilder.fromXDR(hand.signTransaction(transaction.toXDR(), passphrase), passphrase)
  for (const signature of signed.signatures.slice(transaction.signatures.length)) transaction.addDecoratedSignature(signature)
}

/** @throws Declined, TransactionFailed, Doubtful */
export async function sendSigned({ server }: Network, transaction: Transaction, { needed }: Quorum, { weight, strange }: Signed): Promise<Applied> {
  if (strange > 0) throw new Declined(`${strange} of its signatures ${strange === 1 ? 'is' : 'are'} of nobody who signs for the account, or for another network: the network would refuse it`)
  if (weight < needed) throw new Declined(`its signatures have a weight of ${weight}, and the account asks for ${needed}: --xdr hands it out, for others to sign`)
  try {
    return await submit(server, transaction)
  } catch (error) {
    throw error instanceof TransactionFailed ? error : new Doubtful(error, hashOf(transaction))
  }
}


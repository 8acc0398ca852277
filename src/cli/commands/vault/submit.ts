import { existsSync, readFileSync } from 'node:fs'
import { rpc } from '@stellar/stellar-sdk'
import type { Transaction } from '@stellar/stellar-sdk'
import { joined, readEnvelope } from '../../../settlement/governance/envelope.ts'
import { quorumOf, signedBy } from '../../../settlement/governance/quorum.ts'
import { hashOf } from '../../../settlement/transaction.ts'
import { UsageFault } from '../../fault.ts'
import { addSignature, sendSigned } from '../../vault/act.ts'
import type { Errand } from '../../vault/errand.ts'
import { Ground } from '../../vault/ground.ts'
import { handOf } from '../../vault/hand.ts'
import { shown } from '../../vault/shown.ts'

/** `darkpool vault submit FILE…`: sends a transaction that was handed out, with the signatures of all the copies that are named. Sending one that has applied does nothing. */
export const submit: Errand = async (surroundings, words) => {
  const { args, say } = surroundings
  const { network } = await Ground.open(surroundings)
  const transaction = read(words, 'submit', network.passphrase)
  const hash = hashOf(transaction)
  const before = await network.server.getTransaction(hash)
  if (before.status === rpc.Api.GetTransactionStatus.SUCCESS) return { text: `applied already, in ledger ${before.ledger}, transaction ${hash}`, json: { sent: false, applied: { transaction: hash, ledger: before.ledger } } }
  const quorum = await quorumOf(network, transaction.source)
  const signed = signedBy(transaction, quorum)
  const sheet = shown({ what: null, transaction, returned: undefined, quorum, signed })
  if (args.options['dry-run'] === true) return { text: `${sheet.text}\n\nnothing was sent`, json: { sent: false, ...sheet.json } }
  say(sheet.text)
  const { ledger } = await sendSigned(network, transaction, quorum, signed)
  return { text: `applied in ledger ${ledger}, transaction ${hash}`, json: { sent: true, applied: { transaction: hash, ledger } } }
}

/** `darkpool vault sign FILE… --key FILE`: shows what a transaction does, adds a signature, and prints it for whoever is next. */
export const sign: Errand = async (surroundings, words) => {
  const { args, place, say } = surroundings
  const hand = await handOf(args.options, place)
  if (hand === null) throw new UsageFault('say who signs: --key FILE or --prompt')
  const { network } = await Ground.open(surroundings)
  const transaction = read(words, 'sign', network.passphrase)
  const quorum = await quorumOf(network, transaction.source)
  addSignature(transaction, hand, network.passphrase, quorum)
  const sheet = shown({ what: null, transaction, returned: undefined, quorum, signed: signedBy(transaction, quorum) })
  say(sheet.text)
  return { text: transaction.toXDR(), json: { sent: false, ...sheet.json, xdr: transaction.toXDR() } }
}

/** Transactions as words: files, the base64 itself, or `-` for standard input. @throws UsageFault */
function read(words: readonly string[], command: string, passphrase: string): Transaction {
  if (words.length === 0) throw new UsageFault(`darkpool vault ${command} takes a transaction: a file, its XDR, or - for standard input; and further copies of it`)
  try {
    return joined(words.map((word) => readEnvelope(textOf(word), passphrase)))
  } catch (error) {
    throw error instanceof UsageFault ? error : new UsageFault((error as Error).message, error)
  }
}

function textOf(word: string): string {
  if (word === '-') return readFileSync(0, 'utf8')
  if (!existsSync(word)) return word
  return readFileSync(word, 'utf8')
}

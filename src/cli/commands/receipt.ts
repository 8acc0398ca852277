import { readFileSync } from 'node:fs'
import { readBatch, readReceipt, ReceiptInvalid, verifyReceipt } from '../../client/receipt.ts'
import type { Receipt } from '../../protocol/receiptShape.ts'
import type { Command, Outcome, Surroundings } from '../command.ts'
import { UsageFault } from '../fault.ts'

/** `darkpool receipt get TRADE` and `darkpool receipt verify FILE [--rpc URL | --root HEX] [--vault C…]`. */
export const receipt: Command = async (surroundings) => {
  const [what, name, ...more] = surroundings.args.words
  if (name === undefined || more.length > 0 || (what !== 'get' && what !== 'verify')) throw new UsageFault('darkpool receipt takes get TRADE, or verify FILE')
  return what === 'get' ? get(surroundings, name) : verify(surroundings, name)
}

/** The same with and without --json: it is made for programs. */
async function get({ place }: Surroundings, trade: string): Promise<Outcome> {
  const json = await (await place.client()).receipt(trade)
  return { text: JSON.stringify(json, null, 2), json }
}

async function verify({ args, place }: Surroundings, file: string): Promise<Outcome> {
  const { root, rpc, vault } = args.options
  if (root !== undefined && rpc !== undefined) throw new UsageFault('either --root or --rpc, not both')
  if (root !== undefined && !/^[0-9a-f]{64}$/.test(root)) throw new UsageFault('--root: 64 hex digits in lower case, as settle_batch tells them')
  if (root !== undefined && vault !== undefined) throw new UsageFault('--vault is for --rpc: a root alone does not say whose it is')
  const read = contentOf(file)
  try {
    if (root !== undefined) return proved(verifyReceipt(read, root), true)
    // Where to look is what the receipt itself says, so first of all it has to be one.
    const named = readReceipt(read)
    return proved(verifyReceipt(named, await readBatch(place.rpc, named, vault ?? named.vault)), false)
  } catch (error) {
    if (!(error instanceof ReceiptInvalid)) throw error
    return { text: `NOT PROVED: ${error.message} [${error.fault}]`, json: { proved: false, fault: error.fault, reason: error.message }, failed: true }
  }
}

/** A file that is not there is the caller's fault; one that holds nonsense proves nothing. */
function contentOf(file: string): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageFault(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, error)
  }
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function proved(receipt: Receipt, offline: boolean): Outcome {
  const { side, quantity, quote, price, market, trade, account, vault, sequence, transaction, ledger, time } = receipt
  const where = offline ? 'under the given root (whose that is, and where, is not looked at)' : `in batch ${sequence} of vault ${vault}, transaction ${transaction}, ledger ${ledger}`
  return {
    text: `PROVED: ${account} ${side === 'buy' ? 'bought' : 'sold'} ${quantity} at ${price} for ${quote} in ${market}, trade ${trade}, ${time}\n${where}`,
    json: { proved: true, offline, receipt },
  }
}

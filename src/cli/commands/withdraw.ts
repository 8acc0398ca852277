import { setTimeout as delay } from 'node:timers/promises'
import { VaultOnChain } from '../../client/chain.ts'
import type { Client } from '../../client/client.ts'
import { parseDecimal } from '../../protocol/decimal.ts'
import type { WithdrawalView } from '../../protocol/feed.ts'
import { decimal, words } from '../arguments.ts'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { withdrawalText } from '../text.ts'
import { expiry } from './order.ts'

const POLL_MS = 500
const COSIGN_WITHIN_MS = 120_000

/**
 * `darkpool withdraw ASSET AMOUNT`: asks the venue with a signed message, waits for the engine's authorisation, and completes it on
 * chain. `darkpool withdraw ID` goes on with one that was asked for before. What a key asks for on behalf of another account (a wallet's) is that account's to complete.
 */
export const withdraw: Command = async ({ args, place, say }) => {
  const rpc = place.rpc
  const client = await place.client()
  const asked = args.words.length === 1 ? await client.withdrawal(idOf(args.words[0]!)) : await ask(client, args)
  const asset = client.asset(asked.asset)
  const units = parseDecimal(asked.amount, asset.decimals)
  if (units === undefined) throw new Error('the venue shows an amount with more digits than the asset has')
  say(`withdrawal ${asked.id}: waiting for the engine's authorisation`)
  const cosigned = await decided(client, asked)
  if (cosigned.status !== 'cosigned' || cosigned.authorization === null) throw new Error(`the withdrawal cannot be completed: it is ${cosigned.status}`)
  if (client.binding.account !== client.signer.address) return { text: `${withdrawalText(cosigned)}\nthe account completes it on chain, by its own authorisation and the engine’s, which --json shows`, json: cosigned }
  say('waiting for a ledger')
  const applied = await new VaultOnChain(rpc, client.venue.network, client.venue.vault, client.signer).withdraw(asset.contract, units, cosigned.authorization)
  const done: WithdrawalView = { ...cosigned, status: 'completed', ...applied }
  return { text: withdrawalText(done), json: done }
}

async function ask(client: Client, args: Arguments): Promise<WithdrawalView> {
  const [code, text] = words(args, ['ASSET', 'AMOUNT'])
  const amount = decimal('amount', text)
  return client.sendWithdrawal(await client.signWithdrawal(code, amount, expiry(args.options.expires)))
}

function idOf(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new UsageFault(`${text} is no withdrawal id (64 hex digits); to ask for one: darkpool withdraw ASSET AMOUNT`)
  return text
}

async function decided(client: Client, asked: WithdrawalView): Promise<WithdrawalView> {
  let withdrawal = asked
  for (const end = Date.now() + COSIGN_WITHIN_MS; withdrawal.status === 'requested'; withdrawal = await client.withdrawal(asked.id)) {
    if (Date.now() > end) throw new Error(`withdrawal ${asked.id} waits for the engine's authorisation; go on later with: darkpool withdraw ${asked.id}`)
    await delay(POLL_MS)
  }
  return withdrawal
}

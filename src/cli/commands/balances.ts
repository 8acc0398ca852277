import { words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { table } from '../table.ts'

/** `darkpool balances`: what the venue holds for the account. */
export const balances: Command = async ({ args, place }) => {
  words(args, [])
  const client = await place.client()
  const all = await client.balances()
  const heading = ['asset', 'settled', 'pending', 'reserved', 'available']
  return { text: table(heading, all.map((one) => [one.asset, one.settled, one.pending, one.reserved, one.available])), json: all }
}

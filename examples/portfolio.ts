// What an account has, and what it has open. Once, or again and again with --every SECONDS.
//   node examples/portfolio.ts --key .darkpool/keys/alice.seed --every 2
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from './connect.ts'

const { client, given, end } = await connect({ every: '0' })
const every_ms = Number(given.every) * 1_000

function table(head: readonly string[], rows: readonly (readonly (string | null)[])[]): string {
  const all = [head, ...rows.map((row) => row.map((cell) => cell ?? '—'))]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  return all.map((row) => row.map((cell, column) => cell.padStart(widths[column]!)).join('  ')).join('\n')
}

do {
  const [balances, orders] = await Promise.all([client.balances({ signal: end }), client.orders({ status: 'open', signal: end })])
  const clear = process.stdout.isTTY && every_ms > 0 ? '\x1b[2J\x1b[H' : ''
  process.stdout.write(`${clear}${client.signer.address}\n\n`)
  process.stdout.write(`${table(['asset', 'settled', 'pending', 'reserved', 'available'], balances.map(({ asset, settled, pending, reserved, available }) => [asset, settled, pending, reserved, available]))}\n\n`)
  process.stdout.write(`${table(['market', 'side', 'price', 'quantity', 'filled'], orders.map(({ market, side, price, quantity, filledQuantity }) => [market, side, price, quantity, filledQuantity]))}\n`)
  if (every_ms > 0) await delay(every_ms, undefined, { signal: end }).catch(() => undefined)
} while (every_ms > 0 && !end.aborted)

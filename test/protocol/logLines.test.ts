import { Keypair } from '@stellar/stellar-sdk'
import fc from 'fast-check'
import { pino } from 'pino'
import type { Logger } from 'pino'
import t from 'tap'
import { logLines } from '../../src/protocol/logLines.ts'

/** What is written where `speak` speaks. */
function written(speak: (log: Logger) => void): { readonly text: string; readonly lines: readonly Record<string, unknown>[] } {
  let text = ''
  speak(pino(logLines, { write: (line: string) => void (text += line) }))
  return { text, lines: text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>) }
}

const trader = Keypair.random()

t.test('a line is a level, a time, a place, a sentence, and ids', async (t) => {
  const { lines } = written((log) => {
    log.info({ at: 'actor', ids: { actor: 'vault.0', records: 7 } }, 'running')
    log.error({ at: 'app#answerError', requestId: 'gw_1-2', frames: ['at one (file:1:2)'] }, 'a request failed')
  })
  for (const line of lines) {
    t.same(Object.keys(line).sort(), ['at', 'ids', 'level', 'message', 'time'])
    t.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  }
  t.match(lines, [
    { level: 'info', at: 'actor', message: 'running', ids: { actor: 'vault.0', records: 7 } },
    { level: 'error', at: 'app#answerError', message: 'a request failed', ids: { requestId: 'gw_1-2', frames: ['at one (file:1:2)'] } },
  ])
})

t.test('accounts and seeds are taken out wherever they stand; contracts, transactions and hosts stay', async (t) => {
  const contract = `C${'A'.repeat(55)}`
  const transaction = 'ab'.repeat(32)
  const { text, lines } = written((log) => {
    log.warn({ at: 'rpc', ids: { reason: `Error: Account not found: ${trader.publicKey()}`, seed: trader.secret(), deep: { list: [trader.secret()] }, contract, transaction, endpoint: 'rpc.example' } }, `no ${trader.publicKey()} here`)
  })
  t.notMatch(text, trader.publicKey())
  t.notMatch(text, trader.secret())
  t.match(lines, [{ message: 'no [redacted] here', ids: { reason: 'Error: Account not found: [redacted]', seed: '[redacted]', deep: { list: ['[redacted]'] }, contract, transaction, endpoint: 'rpc.example' } }])
})

t.test('whatever an order says, under its names, however deep and whatever else is there, is not written', async () => {
  const names = ['price', 'quantity', 'lots', 'ticks', 'side', 'account', 'signer', 'buyer', 'seller', 'amount', 'spend', 'balance', 'signature', 'secret', 'Price', 'ACCOUNT'] as const
  const secret = fc.constantFrom('1234567.7654321', 7_654_321_987, 76_543_219_876n, { raw: '1234567.7654321' }, ['1234567.7654321'])
  fc.assert(
    fc.property(fc.constantFrom(...names), secret, fc.integer({ min: 0, max: 6 }), fc.boolean(), (name, value, depth, inIds) => {
      let ids: object = { [name]: value, actor: 'pair.XLM-USDC' }
      for (let n = 0; n < depth; n++) ids = n % 2 === 0 ? { in: ids } : { list: [ids] }
      const { text } = written((log) => log.error(inIds ? { at: 'x', ids } : { at: 'x', ...ids }, 'it failed'))
      return !/7654321|76543219876/.test(text.replace(/"time":"[^"]*"/, ''))
    }),
  )
})

import { readFileSync } from 'node:fs'
import t from 'tap'
import { errorCodes, isErrorCode, Refusal, statusOf, textOf } from '../../src/protocol/errors.ts'

t.test('codes are words, statuses are errors, texts are sentences', async (t) => {
  for (const code of errorCodes) {
    t.match(code, /^[a-z]+(_[a-z]+)*$/)
    t.ok(statusOf(code) >= 400 && statusOf(code) < 600, code)
    t.match(textOf(code), /^[A-Z].*\.$|.*<token>\.$/, code)
    t.equal(new Refusal(code).status, statusOf(code))
  }
  t.ok(isErrorCode('order_unknown'))
  t.notOk(isErrorCode('toString'))
})

t.test('every code is documented with its status', async (t) => {
  const page = readFileSync(new URL('../../docs/api/errors.md', import.meta.url), 'utf8')
  for (const code of errorCodes) t.match(page, new RegExp(`\`${code}\`[^\\n]*${statusOf(code)}|${statusOf(code)}[^\\n]*\`${code}\``), code)
})

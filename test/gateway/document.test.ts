import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Keypair } from '@stellar/stellar-sdk/base'
import t from 'tap'
import { SecretSigner } from '../../src/client/secretSigner.ts'
import { errorCodes, isRetryable, statusOf, textOf } from '../../src/protocol/errors.ts'
import { canonicalJson } from '../../src/protocol/messages/canonical.ts'
import { messageId } from '../../src/protocol/messages/messageId.ts'
import { readMessage } from '../../src/protocol/messages/message.ts'
import { openStage } from './stage.ts'

const page = (name: string): string => readFileSync(join(import.meta.dirname, '../../docs/api', name), 'utf8')
const signing = page('signing.md')
const example = (name: string): string => {
  const found = new RegExp(`<!-- example: ${name} -->\n\`\`\`\\w*\n([^]*?)\n\`\`\``).exec(signing)?.[1]
  if (found === undefined) throw new Error(`docs/api/signing.md has no example "${name}"`)
  return found
}

t.test('the worked example is what the venue computes', async (t) => {
  const message = JSON.parse(example('message')) as Record<string, string>
  readMessage('order', message)
  t.equal(canonicalJson(message), example('canonical'))
  t.equal(messageId(message), example('digest'))
  const signer = new SecretSigner(Keypair.fromRawEd25519Seed(Buffer.from(Array.from({ length: 32 }, (_, i) => i))).secret())
  t.equal(signer.signMessage(example('canonical')), example('signature'))
  t.equal(message.account, signer.address)
})

t.test('every error is listed with its status and text, and no other', async (t) => {
  const listed = [...page('errors.md').matchAll(/^\| `(\w+)` \| (\d+) \| (yes)? ?\| (.*) \|$/gm)].map(([, code, status, again, text]) => ({ code, status: Number(status), again: again === 'yes', text }))
  t.strictSame(listed, errorCodes.map((code) => ({ code, status: statusOf(code), again: isRetryable(code), text: textOf(code) })))
})

t.test('every route is described', async (t) => {
  const stage = await openStage()
  t.teardown(() => stage.close())
  const routes = stage.app.routes.all.filter((route) => !/^(HEAD|OPTIONS) /.test(route))
  t.ok(routes.length > 12)
  t.strictSame(routes.filter((route) => !page('README.md').includes(`\`${route}\``)), [])
})

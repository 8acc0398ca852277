import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Keypair } from '@stellar/stellar-sdk/base'
import t from 'tap'
import { canonical, digest, signed } from '../../examples/signing.ts'
import { runCommand } from '../../scripts/setup/command.ts'
import { pythonTool } from '../../scripts/setup/pythonTools.ts'
import { SecretSigner } from '../../src/client/secretSigner.ts'
import { errorCodes, isRetryable, statusOf, textOf } from '../../src/protocol/errors.ts'
import { canonicalJson } from '../../src/protocol/messages/canonical.ts'
import { messageId } from '../../src/protocol/messages/messageId.ts'
import { readMessage } from '../../src/protocol/messages/message.ts'
import { openStage } from './stage.ts'

const root = join(import.meta.dirname, '..', '..')
const page = (name: string): string => readFileSync(join(root, 'docs', 'api', name), 'utf8')
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

t.test('signing, as the page shows it and as the examples do it, agrees with the test vectors', async (t) => {
  const source = (name: string): string => readFileSync(join(root, 'examples', name), 'utf8')
  const block = (mark: string): string => new RegExp(`<!-- ${mark} -->\n\`\`\`\\w+\n([^]*?\n)\`\`\``).exec(signing)?.[1] ?? `no block ${mark}`
  t.equal(block('file: examples/signing.ts'), source('signing.ts'))
  t.ok(source('signing.py').includes(block('part: examples/signing.py')))
  const path = join(root, 'docs', 'messages.examples.json')
  const { seedHex, examples } = JSON.parse(readFileSync(path, 'utf8')) as { seedHex: string; examples: { action: string; message: Record<string, string>; canonical: string; digest: string; signature: string }[] }
  const secret = Keypair.fromRawEd25519Seed(Buffer.from(seedHex, 'hex')).secret()
  for (const { message, ...wanted } of examples) t.strictSame({ action: message.action, canonical: canonical(message), digest: digest(message).toString('hex'), signature: signed(message, secret).signature }, wanted)
  const python = await runCommand(pythonTool('python'), ['examples/signing.py', 'check', path], { cwd: root, timeout_ms: 60_000 })
  t.strictSame([python.code, python.output.trim()], [0, `${examples.length} examples agree`])
  const wrong = join(t.testdir(), 'wrong.json')
  writeFileSync(wrong, readFileSync(path, 'utf8').replace('"price": "0.12345"', '"price": "0.12346"'))
  t.equal((await runCommand(pythonTool('python'), ['examples/signing.py', 'check', wrong], { cwd: root, timeout_ms: 60_000 })).code, 1, 'it can disagree')
})

t.test('what the documents refer to is there', async (t) => {
  const pages = ['README.md', 'src/client/README.md', ...globSync('docs/**/*.md', { cwd: root })]
  const anchors = (path: string): string[] => [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, title]) => title!.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'))
  const missing = pages.flatMap((name) => [...readFileSync(join(root, name), 'utf8').matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].flatMap(([, path, anchor]) => {
    const target = path === '' ? join(root, name) : join(root, dirname(name), path!)
    return existsSync(target) && (anchor === undefined || anchors(target).includes(anchor)) ? [] : [`${name}: ${path}${anchor === undefined ? '' : `#${anchor}`}`]
  }))
  t.strictSame(missing, [])
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

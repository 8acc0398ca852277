import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { buildImage, currentLock } from '../../scripts/image/build.ts'
import { Gone } from '../../scripts/image/debian.ts'
import { readLock } from '../../scripts/image/lock.ts'
import type { ImageLock } from '../../scripts/image/lock.ts'
import { runCommand } from '../../scripts/setup/command.ts'
import { silent } from '../../scripts/setup/steps.ts'
import { inImage } from '../../scripts/venue/programs.ts'
import { VenueUnderTest } from '../venue/venueUnderTest.ts'

t.setTimeout(900_000)
const folder = mkdtempSync(join(tmpdir(), 'darkpool-image-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
process.env.SOURCE_DATE_EPOCH = '1700000000'

/** Once as locked. Where the mirrors have let that go since, what they have now proves the same of the way that images are built. */
let lock: ImageLock = readLock()
const first = await buildImage(join(folder, 'first'), silent).catch(async (error: unknown) => {
  if (!(error instanceof Gone)) throw error
  t.comment(error.message)
  lock = await currentLock(silent)
  return buildImage(join(folder, 'first'), silent, lock)
})

t.test('two builds, in different folders at different times, are one image', async (t) => {
  const { digest } = await buildImage(join(folder, 'other', 'place'), silent, lock)
  t.match(digest, /^sha256:[0-9a-f]{64}$/)
  t.equal(digest, first.digest)
  rmSync(join(folder, 'other'), { recursive: true })
})

const root = join(folder, 'root')
mkdirSync(root)
for (const layer of [first.base, first.packages, first.application]) cpSync(layer, root, { recursive: true, verbatimSymlinks: true })

t.test('it has what production needs and nothing else', async (t) => {
  const modules = readdirSync(join(root, 'app', 'node_modules'))
  for (const name of ['fastify', 'msgpackr', 'node', 'sodium-native']) t.ok(modules.includes(name), name)
  for (const name of ['tap', 'typescript', 'eslint', 'fast-check']) t.notOk(modules.includes(name), `no ${name}`)
  t.notOk(existsSync(join(root, 'app', 'src', 'enclave', 'simulator')), 'nothing that plays an enclave')
  for (const name of ['test', 'simulator', 'scripts', 'bench']) t.notOk(existsSync(join(root, 'app', name)), `no ${name}`)
  for (const shell of ['bin/sh', 'usr/bin/sh', 'bin/bash']) t.notOk(existsSync(join(root, shell)), `no ${shell}`)
  const { components } = JSON.parse(readFileSync(join(root, 'usr', 'share', 'darkpool', 'sbom.cdx.json'), 'utf8')) as { components: readonly { readonly purl: string }[] }
  const purls = components.map(({ purl }) => purl)
  for (const start of ['pkg:deb/debian/libc6@', 'pkg:npm/fastify@', 'pkg:generic/node@', 'pkg:golang/github.com/nats-io/nats-server/v2@', 'pkg:golang/github.com/nats-io/nkeys@']) t.ok(purls.some((purl) => purl.startsWith(start)), start)
  t.notOk(purls.some((purl) => purl.startsWith('pkg:npm/tap@')))
  t.same(purls, [...new Set(purls)].sort())
})

t.test('its programs start in it, as who they will be, without anything of this machine', async (t) => {
  const within = (...command: string[]) => runCommand('env', ['--unset=NODE_OPTIONS', '--unset=NODE_COMPILE_CACHE', 'unshare', '--map-root-user', '--mount', '--pid', '--fork', '--net', `--root=${root}`, ...command], { timeout_ms: 60_000 })
  t.match(await within('/usr/local/bin/nats-server', '--version'), { code: 0, output: /^nats-server: v2/ })
  t.match(await within('/usr/local/bin/node', '--version'), { code: 0, output: lock.node.version })
  for (const [program, code] of [['actors/shard.ts', 64], ['gateway/main.ts', 2], ['enclave/holder/main.ts', 2], ['natsServer/main.ts', 2]] as const) {
    const ended = await within('/usr/local/bin/node', `/app/src/${program}`)
    t.match(ended, { code, output: /usage: / }, program)
  }
  t.match(await within('/usr/local/bin/node', '/app/src/cli/darkpool.ts', '--help'), { code: 0, output: /darkpool order/ })
})

t.test('a venue whose every program runs in it trades and settles', async (t) => {
  const state = join(folder, 'venue')
  const under = await VenueUnderTest.start(2, { state, programs: inImage(root, state) })
  t.teardown(() => under.stop())
  const books = await under.books('alice', 'bob')
  t.teardown(() => books.close())
  await books.limit('alice', 'XLM-USDC', 'sell', '10', '0.5')
  t.match(await books.limit('bob', 'XLM-USDC', 'buy', '10', '0.5'), { status: 'filled' })
  books.traded('bob', 'alice', 'XLM-USDC', '10', '0.5')
  await books.check(t)
  const [command, ...first] = inImage(root, state).natsServer
  const tried = await runCommand(command, [...first.slice(0, -1), '/usr/local/bin/node', '-e', "fs.writeFileSync('/app/src/left', '')"], { timeout_ms: 60_000 })
  t.match(tried, { code: 1, output: /EROFS/ }, 'nothing in it can be written')
})

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { TapReader } from '../../scripts/proof/tapReader.ts'
import { testFiles } from '../../scripts/proof/testFiles.ts'
import { paths } from '../../scripts/setup/paths.ts'

function read(text: string, ending: string | null = null): { passed: number; failed: number; printed: string } {
  const reader = new TapReader()
  for (const line of text.split('\n')) reader.line(line)
  const printed = reader.end(ending).join('\n')
  return { passed: reader.tally.passed, failed: reader.tally.failed, printed }
}

t.test('a file\'s outermost points are what is counted', async (t) => {
  const said = `TAP version 14
# Subtest: one
    ok 1 - should be equal
    # Subtest: nested
        ok 1 - should be equal
        1..1
    ok 2 - nested # time=3ms
    1..2
ok 1 - one # time=9ms
ok 2 - left out # SKIP no reason
1..2
# { total: 3, pass: 2, skip: 1 }
# time=40.5ms`
  t.strictSame(read(said), { passed: 1, failed: 0, printed: '' })
})

t.test('a failure is printed with why, and what looks like a point in it is none', async (t) => {
  const { passed, failed, printed } = read(
    `ok 1 - fine
# Subtest: broken
    ok 1 - fine within
    not ok 2 - should be equal
      ---
      found: |
        ok 3 - no point
    ok 4 - nor this
      ...
    1..2
not ok 2 - broken
  ---
  found: |
ok 3 - nor this
1..9
  ...
1..2`,
    'exit code 1',
  )
  t.equal(passed, 1)
  t.equal(failed, 1)
  for (const part of ['not ok 2 - should be equal', 'no point', 'not ok 2 - broken', 'exit code 1, 2 of 2 tests told of']) t.match(printed, part)
  t.notMatch(printed, 'fine')
})

t.test('a file that fails beside its tests is one failure', async (t) => {
  const passing = 'ok 1 - fine\n1..1'
  const faults: readonly (readonly [said: string, ending: string | null])[] = [
    [passing, 'exit code 1'],
    [passing, 'killed'],
    ['ok 1 - fine', null],
    ['ok 1 - fine\n1..2', null],
    ['ok 1 - fine\nok 2 - another\n1..1', null],
  ]
  for (const [said, ending] of faults) t.match(read(said, ending), { failed: 1, printed: /of .* tests told of$/ })
  for (const nothing of ['', '1..0']) t.match(read(nothing), { passed: 0, failed: 1 }, 'one that tests nothing')
  t.match(read('not ok 1 - timeout!\n  ---\n  expired: TAP\n  ...\n1..1', 'exit code 142'), { passed: 0, failed: 1, printed: /expired: TAP/ })
})

t.test('every test file is run once, what takes long before the rest', async (t) => {
  const files = testFiles([])
  t.equal(new Set(files).size, files.length)
  t.strictSame([...files].sort(), [...testFiles(['test'])].sort())
  t.ok(files.includes('test/proof/tapReader.test.ts'))
  t.strictSame(files.filter((file) => !existsSync(join(paths.root, file))), [])
  t.equal(files[0], 'test/gateway/everyAnswer.test.ts')
  t.strictSame(testFiles(['test/proof', 'test/venue/start.test.ts', 'test/proof/tapReader.test.ts']), ['test/venue/start.test.ts', 'test/proof/tapReader.test.ts'])
  t.strictSame(testFiles(['test/protocol/schemas']), ['test/protocol/schemas'], 'what is not there is run, and fails')
})

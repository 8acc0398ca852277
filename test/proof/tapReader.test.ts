import t from 'tap'
import { TapReader } from '../../scripts/proof/tapTests.ts'

function read(text: string): { passed: number; failed: number; printed: string } {
  const printed: string[] = []
  const reader = new TapReader((line) => printed.push(line))
  for (const line of text.split('\n')) reader.line(line)
  return { passed: reader.tally.passed, failed: reader.tally.failed, printed: printed.join('\n') }
}

t.test('tests are counted one level within their file', async (t) => {
  const { passed, failed, printed } = read(`TAP version 14
# Subtest: test/a.test.ts
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
ok 1 - test/a.test.ts # time=40.5ms
1..1`)
  t.equal(passed, 1)
  t.equal(failed, 0)
  t.equal(printed, '✓ test/a.test.ts  1 passed, 0 failed  0.0 s')
})

t.test('a failure is printed with why, and what looks like a point in it is none', async (t) => {
  const { passed, failed, printed } = read(`# Subtest: test/b.test.ts
    ok 1 - fine
    not ok 2 - broken
      ---
      found: |
        ok 3 - no point
    ok 4 - nor this
      ...
    1..2
not ok 1 - test/b.test.ts # time=10ms
  ---
  exitCode: 1
  ...
# Subtest: test/c.test.ts
    ok 1 - fine
    1..1
ok 2 - test/c.test.ts # time=10ms`)
  t.equal(passed, 2)
  t.equal(failed, 1)
  t.match(printed, 'not ok 2 - broken')
  t.match(printed, 'no point')
  t.match(printed, 'exitCode: 1')
  t.notMatch(printed, 'ok 1 - fine')
  t.match(printed, '✓ test/c.test.ts  1 passed, 0 failed')
})

t.test('a file that fails beside its tests is one failure', async (t) => {
  t.match(read('# Subtest: test/d.test.ts\n    ok 1 - fine\n    1..1\nnot ok 1 - test/d.test.ts # time=10ms'), { passed: 1, failed: 1 })
  t.match(read('not ok 1 - timeout!\n  ---\n  expired: test/e.test.ts\n  ...'), { passed: 0, failed: 1 })
})

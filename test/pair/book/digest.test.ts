import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { otherNode } from '../../../scripts/setup/otherNode.ts'

/** Changes whenever the book does anything else than before: then the rules, the events or the snapshot have changed. */
const DIGEST = 'd66f999ac8418396340e4eb95e24794b5e8d2efe78f305a03bd52c1fcad1ae41'

t.test('two builds of Node, of different V8s, give the same bytes', async (t) => {
  const program = join(import.meta.dirname, 'digest.ts')
  const versions = [process.execPath, otherNode].map((node) => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim())
  t.not(versions[0]?.split('.')[0], versions[1]?.split('.')[0], versions.join(' and '))
  for (const node of [process.execPath, otherNode]) t.equal(execFileSync(node, ['--no-warnings', program], { encoding: 'utf8' }).trim(), DIGEST)
})

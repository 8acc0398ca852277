import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { paths } from '../setup/paths.ts'

/** What takes a minute or more, the longest first: whatever starts last should be short, for all but one core wait for it. */
const LONG = [
  'test/gateway/everyAnswer.test.ts',
  'test/venue/start.test.ts',
  'test/venue/failures.test.ts',
  'test/client/cli.test.ts',
  'test/runtime/replicatedFeed.test.ts',
  'test/venue/rolledBack.test.ts',
  'test/venue/custody.test.ts',
  'test/simulator/firstSeeds.test.ts',
  'test/simulator/moreSeeds.test.ts',
  'test/deploy/image.test.ts',
  'test/torture/cluster.test.ts',
  'test/venue/nodes.test.ts',
  'test/enclave/randomMutations.test.ts',
  'test/runtime/shard.test.ts',
  'test/venue/streams.test.ts',
  'test/operations/commands.test.ts',
  'test/venue/cluster.test.ts',
  'test/venue/deadVm.test.ts',
  'test/torture/torture.test.ts',
]

/** The test files of this checkout, or of the files and folders named, in the order in which they are to be started. */
export function testFiles(named: readonly string[]): readonly string[] {
  const place = (file: string): number => (LONG.includes(file) ? LONG.indexOf(file) : LONG.length)
  return [...new Set((named.length === 0 ? ['test'] : named).flatMap(inFolder))].sort((one, other) => place(one) - place(other))
}

function inFolder(path: string): string[] {
  if (!statSync(join(paths.root, path), { throwIfNoEntry: false })?.isDirectory()) return [path]
  return globSync(`${path}/**/*.test.ts`, { cwd: paths.root }).sort()
}

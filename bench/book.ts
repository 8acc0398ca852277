// `npm run bench:book`: the matching core on seeded workloads, and other books of this language on the same commands. One JSON line per figure
// after a line with machine and versions. Each workload and each book runs in a process of its own, one at a time.
//   npm run bench:book -- [workload …]
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { existsSync } from 'node:fs'
import { peers } from './book/peers.ts'
import { workloads } from './book/workloads.ts'
import { machine } from './report.ts'

const folder = join(import.meta.dirname, 'book')
const wanted = process.argv.slice(2)
const unknown = wanted.find((name) => !Object.hasOwn(workloads, name))
if (unknown !== undefined) {
  console.error(`there is no workload ${unknown}; there are: ${Object.keys(workloads).join(', ')}`)
  process.exit(2)
}
if (!existsSync(join(folder, 'node_modules'))) execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })

machine()
let failed = 0
for (const name of wanted.length > 0 ? wanted : Object.keys(workloads)) {
  for (const engine of ['ours', ...Object.keys(peers)]) {
    const options = ['--expose-gc', '--max-semi-space-size=256', '--max-old-space-size=8192', '--no-warnings']
    const { status } = spawnSync(process.execPath, [...options, join(folder, 'case.ts'), name, engine], { stdio: 'inherit' })
    if (status !== 0) failed++
  }
}
process.exitCode = failed === 0 ? 0 : 1

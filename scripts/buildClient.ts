// `npm run build:client`: the client as a package that can be published by itself, in dist/client.
import { execFileSync } from 'node:child_process'
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { paths } from './setup/paths.ts'

const source = join(paths.root, 'src', 'client')
const target = process.argv[2] ?? join(paths.root, 'dist', 'client')

rmSync(target, { recursive: true, force: true })
execFileSync(join(paths.bin, 'tsc'), ['-p', source, '--outDir', target], { stdio: ['ignore', 'inherit', 'inherit'] })
for (const name of ['package.json', 'README.md']) copyFileSync(join(source, name), join(target, name))
process.stdout.write(`${target}\n`)

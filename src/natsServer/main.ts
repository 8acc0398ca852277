import { spawn } from 'node:child_process'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openVenue } from '../configuration/venueFile.ts'
import { natsKeys } from '../enclave/natsKeys.ts'
import { openKeys } from '../enclave/openKeys.ts'
import { natsConfiguration } from './configuration.ts'

// nats-server in an enclave: asks the key holder for the keys and starts the server with its configuration. The venue's password stands in it, so it is
// written to memory only, where this user alone can read it, and is in no environment or argument.
//   node src/natsServer/main.ts --venue FILE --keys KEYS --store FOLDER --run FOLDER [--port N] [--program nats-server]
// FOLDER of --run is a tmpfs. It ends as the server does, and passes SIGTERM and SIGINT on.

const exits = { failed: 1, configuration: 2 } as const
const USAGE = 'usage: node src/natsServer/main.ts --venue FILE --keys KEYS --store FOLDER --run FOLDER [--port N] [--program nats-server]'
/** Linux's number for tmpfs (statfs(2)). */
const TMPFS = 0x01021994

function giveUp(exit: keyof typeof exits, sentence: string): never {
  process.stderr.write(`nats-server: ${sentence}\n`)
  process.exit(exits[exit])
}

/** The configuration's file, and the program that reads it. */
async function configure(): Promise<{ program: string; file: string }> {
  try {
    const { values } = parseArgs({
      options: { venue: { type: 'string' }, keys: { type: 'string' }, store: { type: 'string' }, run: { type: 'string' }, port: { type: 'string', default: '4222' }, program: { type: 'string', default: 'nats-server' } },
    })
    const { venue: venueFile, keys, store, run, port, program } = values
    if (venueFile === undefined || keys === undefined || store === undefined || run === undefined) throw new Error(USAGE)
    if (!/^[1-9][0-9]{0,4}$/.test(port) || Number(port) > 65_535) throw new Error(`--port ${port} is no port number`)
    if (statfsSync(run).type !== TMPFS) throw new Error(`--run ${run} is not in memory (tmpfs): a disk would keep the password that is written there`)
    const { file: venue } = openVenue(venueFile)
    const settings = { name: `darkpool-${venue.venue}`, port: Number(port), storeFolder: store, venue: venue.venue, user: venue.nats.user }
    const text = natsConfiguration({ ...settings, keys: await natsKeys(await openKeys(keys, venue)) })
    const file = join(run, 'nats.conf')
    // Anew, so that its mode is what it is written with.
    rmSync(file, { force: true })
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
    return { program, file }
  } catch (error) {
    return giveUp('configuration', (error as Error).message)
  }
}

const { program, file } = await configure()
const server = spawn(program, ['--config', file], { stdio: ['ignore', 'inherit', 'inherit'] })
server.once('error', (error) => giveUp('failed', `${program} cannot be started (${error.message})`))
server.once('exit', (code, signal) => process.exit(code ?? (signal === 'SIGTERM' || signal === 'SIGINT' ? 0 : exits.failed)))
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => server.kill(signal))

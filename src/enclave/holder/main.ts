import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { openVenue } from '../../configuration/venueFile.ts'
import { logLines } from '../../protocol/logLines.ts'
import type { Venue } from '../../protocol/venue.ts'
import { gather, givenKeys } from '../givenKeys.ts'
import { AGENT_SOCKET, GuestAgent } from '../guestAgent.ts'
import { serveUntilTold } from '../lifetime.ts'
import { natsAuthorityPaths } from '../natsAuthority.ts'
import { Attestor } from './attestor.ts'
import { KeyHolder } from './keyHolder.ts'
import { keyRoles, pathsOf } from './roles.ts'

// The key holder: the one process of a venue that reaches the guest agent.
//   node src/enclave/holder/main.ts --venue FILE --sockets FOLDER [--agent SOCKET] [--collateral FILE]
// Each role's socket is FOLDER/ROLE/keys.sock. In an enclave the agent is dstack's, and no other can be named. What Intel says of the platform is shown from --collateral, which may be
// replaced at any time.

const exits = { failed: 1, configuration: 2, agent: 3 } as const
const USAGE = 'usage: node src/enclave/holder/main.ts --venue FILE --sockets FOLDER [--agent SOCKET] [--collateral FILE]'

const log = pino(logLines)

function giveUp(exit: keyof typeof exits, sentence: string): never {
  process.stderr.write(`key holder: ${sentence}\n`)
  process.exit(exits[exit])
}

function configuration(): { venue: Venue; sockets: string; agent: string; collateral: string | null } {
  try {
    const { values } = parseArgs({ options: { venue: { type: 'string' }, sockets: { type: 'string' }, agent: { type: 'string' }, collateral: { type: 'string' } } })
    if (values.venue === undefined || values.sockets === undefined) throw new Error(USAGE)
    const venue = openVenue(values.venue)
    return { venue, sockets: resolve(values.sockets), agent: agentOf(venue, values.agent), collateral: values.collateral ?? null }
  } catch (error) {
    return giveUp('configuration', (error as Error).message)
  }
}

function agentOf({ file: { enclave } }: Venue, named: string | undefined): string {
  if (enclave === undefined) throw new Error('the venue file names no enclave: its keys come from a file, which needs no holder')
  if (enclave.kind === 'development') return named ?? AGENT_SOCKET
  // Whoever could name another agent could give the venue other keys, and the evidence of another machine.
  if (named !== undefined) throw new Error(`--agent: in an enclave keys come from ${AGENT_SOCKET} and nowhere else`)
  return AGENT_SOCKET
}

const { venue, sockets, agent: socket, collateral } = configuration()
const agent = new GuestAgent(socket)
const secrets = await gather(agent, [...keyRoles.flatMap((role) => pathsOf(role, venue.file)), ...natsAuthorityPaths(venue.file)]).catch((error: unknown) => giveUp('agent', (error as Error).message))
const keys = givenKeys(secrets)
const attestor = await Attestor.open(venue.file, keys, agent, collateral, (error) => log.warn({ at: 'holder#collateral', reason: (error as Error).message }, 'no collateral is shown'))
const holder = await KeyHolder.open(venue.file, keys, attestor, sockets, {
  refused: (role, path) => log.warn({ at: 'holder#refused', role, path }, 'a process asked for a key that it may not have'),
  failed: (role, error) => log.error({ at: 'holder#failed', role, reason: (error as Error).message }, 'a request failed'),
}).catch((error: unknown) => giveUp('failed', (error as Error).message))
log.info({ at: 'holder', venue: venue.file.venue, roles: keyRoles }, 'holding keys')

serveUntilTold((why) => {
  log.info({ at: 'holder', why }, 'ending')
  return holder.close()
})

import { connect } from '@nats-io/transport-node'
import type { NatsAccess } from '../client/natsAccess.ts'
import { openNats } from '../client/natsConnection.ts'
import { VenueReader } from '../client/venueReader.ts'
import type { VenueView } from '../client/views/venue.ts'
import type { Surroundings } from './command.ts'
import { DeskLink } from './deskLink.ts'
import { Declined, NatsAway, UsageFault } from './fault.ts'
import type { Operation } from './operation.ts'
import { OwnOperation } from './ownOperation.ts'
import { RemoteOperation } from './remoteOperation.ts'
import { lookAt } from './verification.ts'

/** A gateway has to answer for whoever connects. */
const CONNECT_TIMEOUT_MS = 10_000

/** This very machine: nobody is on the way. */
const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** Whoever is on the way hears all of it, and can answer. */
export function isOpen(address: string): boolean {
  const { protocol, hostname } = new URL(address)
  return !['https:', 'tls:'].includes(protocol) && !loopback.test(hostname)
}

type Here = Pick<Surroundings, 'args' | 'place' | 'say'>

/** What an operator looks at and acts on: with his own key through the venue's gateways, or with the venue's root key where that is. */
export async function openOperation(here: Here): Promise<Operation> {
  const { place } = here
  const access = place.operatorAccess()
  if (access === null) {
    if (!place.hasRootKey) throw new UsageFault('say who operates the venue: --operator FILE, with a key that its venue file names, and --url URL; or --state DIR, on a machine that has its root key')
    return OwnOperation.open(place)
  }
  const desk = await openDesk(here, access)
  try {
    return await RemoteOperation.open(desk)
  } catch (error) {
    await desk.close()
    throw error
  }
}

/**
 * Connects to the NATS of a venue as one of its operators.
 * @throws UsageFault, NeverSent where the venue or its NATS cannot be reached, Declined where the venue is not what the policy accepts, or does not let the key in
 */
export async function openDesk({ args, place, say }: Here, access: NatsAccess): Promise<DeskLink> {
  const { nats, policy } = args.options
  const { url } = place
  if (nats !== undefined && !(/^(nats|tls):/.test(nats) && URL.canParse(nats))) throw new UsageFault(`--nats ${nats}: nats://HOST:PORT, or tls://HOST:PORT`)
  if (policy === undefined && isOpen(url)) say(`${url} is reached without TLS, and not verified: whoever is on the way could act in your place. --policy FILE verifies it`)
  if (nats !== undefined && isOpen(nats)) say(`${nats} is reached without TLS: whoever is on the way sees what is shown, and could act in your place`)
  const venue = policy === undefined ? await new VenueReader(url).markets() : await verified(url, { args, say })
  if (nats === undefined && venue.nats === null) throw new UsageFault(`the venue at ${url} does not say where its NATS is: --nats URL`)
  const addresses = nats ?? venue.nats!.addresses.join(', ')
  try {
    return new DeskLink(await openNats(connect, venue, access, { ...(nats !== undefined && { servers: [nats] }), name: 'darkpool', timeout: CONNECT_TIMEOUT_MS }), venue.venue, access)
  } catch (error) {
    if ((error as Error).name === 'AuthorizationError') throw new Declined(`NATS at ${addresses} does not let ${access.key} in: the venue file does not name it as an operator’s, or no gateway is there to say so`, error)
    throw new NatsAway(`NATS at ${addresses} cannot be reached: ${(error as Error).message}`, error)
  }
}

/** What the venue says over the connection over which it has shown evidence: whom to trust as its NATS, above all. */
async function verified(url: string, { args, say }: Pick<Here, 'args' | 'say'>): Promise<VenueView> {
  const { verification, markets } = await lookAt(url, args.options, say)
  const failed = verification.checks.filter(({ ok, blockedBy }) => !ok && blockedBy === null).map(({ name }) => name)
  if (!verification.ok) throw new Declined(`the venue at ${url} is not one that the policy accepts (${failed.join(', ')}): \`darkpool verify\` says more, and nothing was said to it`)
  return markets as VenueView
}

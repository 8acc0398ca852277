import { connect } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import { feedKeys } from '../enclave/feedKeys.ts'
import type { FeedKeys } from '../enclave/feedKeys.ts'
import { keyPaths } from '../enclave/keys.ts'
import { venueNatsAccess } from '../enclave/natsAccess.ts'
import { natsKeys } from '../enclave/natsKeys.ts'
import type { NatsKeys } from '../enclave/natsKeys.ts'
import { receiptSalts } from '../enclave/receiptSalts.ts'
import type { ReceiptSalts } from '../enclave/receiptSalts.ts'
import { newTlsIdentity } from '../enclave/tlsIdentity.ts'
import { tokenKeys } from '../enclave/tokenKeys.ts'
import { LastingReadings } from '../monitoring/lastingReadings.ts'
import { serveMetrics } from '../monitoring/listener.ts'
import { ProcessMeters } from '../monitoring/processMeters.ts'
import { limits } from '../protocol/limits.ts'
import { tlsFirst } from '../protocol/natsAccess.ts'
import type { NatsAccess } from '../protocol/natsAccess.ts'
import { gatewayApp } from './app.ts'
import { readConfiguration } from './configuration.ts'
import type { Configuration } from './configuration.ts'
import { Gateway } from './gateway.ts'
import { failure, gatewayLog } from './log.ts'
import { openLinks } from './subscribers/links.ts'
import { admitsAnybody, Subscribers } from './subscribers/subscribers.ts'

/** What the exit code of a gateway that could not start, or failed, says. */
const exits = { stopped: 0, failed: 1, configuration: 2, nats: 3, port: 4 } as const

const HANG_UP_EVERY_MS = 50

const log = gatewayLog()

/** Ends the process before it served anything, with one sentence for the person who started it. */
function giveUp(exit: keyof typeof exits, sentence: string): never {
  process.stderr.write(`gateway: ${sentence}\n`)
  process.exit(exits[exit])
}

async function configuration(): Promise<Configuration & { access: NatsAccess; nats: NatsKeys; challengeSeed: Uint8Array; tokens: readonly Uint8Array[]; receipts: ReceiptSalts; feeds: FeedKeys | null }> {
  try {
    const read = await readConfiguration(process.argv.slice(2))
    const { keys, venue } = read
    const [access, nats, challengeSeed, tokens, receipts, feeds] = await Promise.all([venueNatsAccess(keys, venue.file), natsKeys(keys), keys.secret(keyPaths.gateway), tokenKeys(keys, venue.file), receiptSalts(keys, venue.subjects.venue), feedKeys(keys, venue.file)])
    return { ...read, access, nats, challengeSeed, tokens, receipts, feeds }
  } catch (error) {
    giveUp('configuration', (error as Error).message)
  }
}

async function reachNats({ servers, user, password: pass, trust }: NatsAccess, name: string): Promise<NatsConnection> {
  try {
    return await connect({ servers: [...servers], user, pass, ...tlsFirst(trust), name, timeout: 5_000, maxReconnectAttempts: -1, reconnectTimeWait: 250, pingInterval: 10_000 })
  } catch (error) {
    giveUp('nats', `NATS does not answer at ${servers.join(', ')}: ${(error as Error).message}`)
  }
}

/** Where the venue lets traders in to NATS, or operators. */
async function admitSubscribers(gateway: Gateway, connection: NatsConnection, { servers, trust }: NatsAccess, keys: NatsKeys): Promise<Subscribers | null> {
  if (!admitsAnybody(gateway.venue)) return null
  try {
    return new Subscribers(gateway, connection, await openLinks(servers, keys, trust), keys)
  } catch (error) {
    giveUp('nats', `NATS at ${servers.join(', ')} does not know the gateway's keys (is its configuration deploy/nats/nats.conf?): ${(error as Error).message}`)
  }
}

async function main(): Promise<void> {
  const { venue, port, metrics, access, nats, challengeSeed, tokens, receipts, feeds, evidence } = await configuration()
  const { host, homeDomain, tls: endsTls = false } = venue.file.gateway
  // Made here and written nowhere: what the evidence says of it holds for this very process.
  const tls = newTlsIdentity([...new Set([new URL(`https://${homeDomain}`).hostname, host, 'localhost'])], new Date())
  const link = (name: string): Promise<NatsConnection> => reachNats(access, name)
  const [connection, reading] = await Promise.all([link('gateway'), link('gateway reading')])
  const gateway = new Gateway(venue, { challengeSeed, tokens, receipts, feeds, evidence, tlsKey: tls.publicKey, ...(access.trust !== undefined && { natsAuthorities: access.trust }) }, connection, reading, log)
  const subscribers = await admitSubscribers(gateway, connection, access, nats)
  const app = await gatewayApp(gateway, endsTls ? tls : null)
  const meters = new ProcessMeters(connection)
  const readings = new LastingReadings(async () => [await meters.read(), await gateway.meters.read({ gateway, streams: app.streams, subscribers: venue.file.nats.traders === true ? subscribers : null, certificate: endsTls ? tls.cert : null })])
  subscribers?.hearOperators(readings)
  if (metrics !== null) {
    try {
      await serveMetrics(metrics, { readings, failed: (error) => log.error({ at: 'main#metrics', ...failure(error) }, 'metrics cannot be read') })
    } catch (error) {
      giveUp('port', (error as Error).message)
    }
  }
  let url: string
  try {
    url = await app.listen({ host, port })
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    giveUp('port', code === 'EADDRINUSE' ? `port ${port} of ${host} is in use by another program` : `cannot listen on ${host}:${port} (${code})`)
  }
  log.info({ at: 'main#main', gateway: gateway.name, url }, 'listening')

  let stopping = false
  async function stop(why: string): Promise<void> {
    if (stopping) return
    stopping = true
    log.info({ at: 'main#stop', why, inFlight: gateway.admission.inFlight }, 'draining')
    // Every request that was taken is answered within the answer timeout; beyond that something is broken, and waiting does not mend it.
    setTimeout(() => {
      log.error({ at: 'main#stop', inFlight: gateway.admission.inFlight }, 'requests were left without an answer')
      process.exit(exits.failed)
    }, limits.answerTimeout_ms * 2).unref()
    await subscribers?.drain()
    await gateway.admission.drain()
    // A connection that was busy when the server closed would be kept for the next request, which never comes.
    const hangUp = setInterval(() => app.server.closeIdleConnections(), HANG_UP_EVERY_MS)
    await app.close()
    clearInterval(hangUp)
    await subscribers?.close()
    await gateway.close()
    await Promise.all([connection.close(), reading.close()])
    log.info({ at: 'main#stop' }, 'stopped')
    process.exit(exits.stopped)
  }
  const stopFor = (why: string) => void stop(why).catch(fail)
  process.on('SIGTERM', () => stopFor('SIGTERM'))
  process.on('SIGINT', () => stopFor('SIGINT'))
  // A supervisor that started this process and is gone wants nothing from it any more.
  process.on('disconnect', () => stopFor('the supervisor is gone'))
  for (const one of [connection, reading])
    one.closed().then((error) => {
      if (!stopping) fail(error ?? new Error('the connection to NATS was closed'))
    }, fail)
  process.send?.({ type: 'ready', url })
}

function fail(error: unknown): never {
  log.fatal({ at: 'main#fail', ...failure(error) }, 'the gateway failed')
  process.exit(exits.failed)
}

process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)
await main()

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { NeverSent, OutcomeUnknown } from '../../client/errors.ts'
import { collected } from '../../monitoring/collected.ts'
import type { Asked } from '../../monitoring/collected.ts'
import { LastingReadings } from '../../monitoring/lastingReadings.ts'
import { readMetricsAddress, serveMetrics } from '../../monitoring/listener.ts'
import { page } from '../../monitoring/meters.ts'
import { whole, words } from '../arguments.ts'
import { Collector } from '../collector.ts'
import type { Command, Outcome } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { openDesk } from '../openOperation.ts'

/** `darkpool metrics [--serve [ADDRESS:]PORT]`: what every process of the venue measures, on one page: now, or whenever Prometheus asks for it. */
export const metrics: Command = async ({ args, place, say }) => {
  words(args, [])
  const access = place.operatorAccess()
  if (access === null) throw new UsageFault('darkpool metrics asks as an operator: --operator FILE, with a key that the venue file names. On the venue’s own machine a process shows its metrics with --metrics PORT')
  const { serve, gateways = '1' } = args.options
  const collector = new Collector(() => openDesk({ args, place, say }, access), whole('gateways', gateways), say)
  try {
    if (serve === undefined) {
      await collector.start()
      return outcomeOf(await collector.read())
    }
    const address = addressOf(serve)
    await collector.start().catch((error: unknown) => {
      // The venue may come back. Whoever is not let in has to be told at once.
      if (!(error instanceof NeverSent || error instanceof OutcomeUnknown)) throw error
    })
    const ended = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())
    const server = await serveMetrics(address, { readings: new LastingReadings(async () => collected(await collector.read())), failed: (error) => say(error instanceof Error ? error.message : String(error)) })
    server.ref()
    const { port } = server.address() as AddressInfo
    say(`showing metrics at http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}/metrics; Ctrl-C ends it`)
    await once(ended.signal, 'abort')
    server.close()
    server.closeAllConnections()
    return null
  } finally {
    await collector.close()
  }
}

async function outcomeOf(processes: readonly Asked[]): Promise<Outcome> {
  const text = (await page(await collected(processes))).trimEnd()
  const answers = processes.map(({ instance, readings }) => ({ instance, answered: readings !== null }))
  return { text, json: { processes: answers, page: `${text}\n` }, failed: answers.some(({ answered }) => !answered) }
}

function addressOf(text: string): ReturnType<typeof readMetricsAddress> {
  try {
    return readMetricsAddress(text, '--serve')
  } catch (error) {
    throw new UsageFault((error as Error).message, error)
  }
}

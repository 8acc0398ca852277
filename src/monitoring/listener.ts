import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import type { LastingReadings } from './lastingReadings.ts'
import { page, PAGE_TYPE } from './meters.ts'
import type { Readings } from './meters.ts'

const PATH = '/metrics'
const CONNECTIONS = 16
const REQUEST_TIMEOUT_MS = 10_000
const HEADER_BYTES = 4_096

export interface MetricsAddress {
  readonly host: string
  readonly port: number
}

/**
 * Where a process shows its metrics: `PORT` of loopback, or `HOST:PORT` of an address that operators reach and traders do not (IPv6 in brackets).
 * @throws Error with one clear sentence
 */
export function readMetricsAddress(text: string, option = '--metrics'): MetricsAddress {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]:|([0-9.]+):)?(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain ?? '127.0.0.1'
  const port = Number(digits)
  if (digits === undefined || port > 65_535 || isIP(host) === 0) throw new Error(`${option} ${text}: a port of loopback, or an address and a port, such as 9464, 10.0.0.5:9464 or [fd00::5]:9464`)
  return { host, port }
}

export interface MetricsSource {
  readonly readings: LastingReadings
  /** A page could not be made. */
  failed(error: unknown): void
}

/**
 * Serves the metrics of this process to operators, at an address apart from what traders reach.
 * @throws Error with one clear sentence where it cannot listen there
 */
export async function serveMetrics({ host, port }: MetricsAddress, source: MetricsSource): Promise<Server> {
  let shown: readonly [readings: Promise<readonly Readings[]>, text: Promise<string>] | null = null
  const latest = (): Promise<string> => {
    const readings = source.readings.latest()
    if (shown?.[0] !== readings) shown = [readings, readings.then(page)]
    return shown[1]
  }
  const server = createServer({ maxHeaderSize: HEADER_BYTES, requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    void answer(request, response, latest, (error) => source.failed(error))
  })
  server.maxConnections = CONNECTIONS
  server.listen({ host, port })
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new Error(`metrics cannot be shown at ${host}:${port} (${(error as NodeJS.ErrnoException).code})`, { cause: error })
  }
  // Whoever drains does not wait for who reads numbers.
  server.unref()
  return server
}

async function answer({ method, url }: IncomingMessage, response: ServerResponse, latest: () => Promise<string>, failed: (error: unknown) => void): Promise<void> {
  if (url !== PATH) return end(response, 404, 'Metrics are at /metrics.\n')
  if (method !== 'GET' && method !== 'HEAD') return end(response, 405, 'Metrics are read with GET.\n', { allow: 'GET, HEAD' })
  try {
    const text = await latest()
    end(response, 200, method === 'HEAD' ? '' : text, { 'content-type': PAGE_TYPE })
  } catch (error) {
    failed(error)
    end(response, 500, 'The metrics could not be read; the log says why.\n')
  }
}

function end(response: ServerResponse, status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers }).end(text)
}

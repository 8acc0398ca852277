import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** What a nats-server says first, of itself. */
export interface NatsGreeting {
  readonly version: string
  readonly jetstream: boolean
  readonly auth_required: boolean
}

const LONGEST_MS = 5_000
const MOST_BYTES = 65_536
const PORT = 4222

/**
 * Connects to a nats-server and reads what it says before anybody has said who they are: no key is needed for that, and none shown.
 * @param tls it speaks TLS and nothing before it; whose certificate it shows is left to those who have keys
 * @throws Error where there is no nats-server
 */
export async function natsGreeting(server: string, tls: boolean): Promise<NatsGreeting> {
  const { hostname, port } = new URL(server.includes('://') ? server : `nats://${server}`)
  const place = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? PORT : Number(port) }
  const socket: Socket = tls ? connectTls({ ...place, rejectUnauthorized: false }) : connect(place)
  try {
    return read(await firstLine(socket))
  } finally {
    socket.destroy()
  }
}

function firstLine(socket: Socket): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let text = ''
  socket.setTimeout(LONGEST_MS, () => reject(new Error(`it says nothing for ${LONGEST_MS / 1_000} s`)))
  socket.once('error', reject)
  socket.once('close', () => reject(new Error('it closes the connection')))
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    const end = text.indexOf('\r\n')
    if (end >= 0) resolve(text.slice(0, end))
    else if (text.length > MOST_BYTES) reject(new Error('it speaks something else'))
  })
  return promise
}

function read(line: string): NatsGreeting {
  const [, json] = /^INFO (\{.*\}) *$/.exec(line) ?? []
  if (json === undefined) throw new Error('it speaks something else')
  const { version = 'unknown', jetstream = false, auth_required = false } = JSON.parse(json) as Partial<NatsGreeting>
  return { version, jetstream, auth_required }
}

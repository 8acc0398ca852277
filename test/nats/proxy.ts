import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'
import type { Socket } from 'node:net'

/** A TCP proxy in front of a server, for what a network does to a connection. */
export interface Proxy {
  readonly url: string
  /** Swallow what the client says, or what the server answers. */
  deafen(on: boolean): void
  mute(on: boolean): void
  /** Ends every connection; new ones are served, unless it refuses. */
  cut(): void
  refuse(on: boolean): void
  stop(): Promise<void>
}

export async function startProxy(port: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let deaf = false
  let silent = false
  let refusing = false
  const server = createServer((client) => {
    if (refusing) {
      client.destroy()
      return
    }
    const upstream = createConnection(port, '127.0.0.1')
    const end = (): void => {
      for (const socket of [client, upstream]) {
        socket.destroy()
        sockets.delete(socket)
      }
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      // Which error ended a connection does not matter here: both ends see it end.
      socket.on('error', end).on('close', end)
    }
    client.on('data', (bytes) => void (deaf || upstream.write(bytes)))
    upstream.on('data', (bytes) => void (silent || client.write(bytes)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `nats://127.0.0.1:${address.port}`,
    deafen: (on) => void (deaf = on),
    mute: (on) => void (silent = on),
    refuse: (on) => void (refusing = on),
    cut,
    stop: async () => {
      server.close()
      cut()
      await once(server, 'close')
    },
  }
}

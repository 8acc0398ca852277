import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'
import { connect } from 'node:tls'
import { Fault } from '../setup/fault.ts'

export const LOOPBACK = '127.0.0.1'

/** Where one node listens. `route`: what its nats-server speaks to the others on, where there are others. The last two: where its processes show their metrics. */
export interface NodePorts {
  readonly gateway: number
  readonly nats: number
  readonly route: number
  readonly gatewayMetrics: number
  readonly shardMetrics: number
}

export interface VenuePorts {
  readonly rpc: number
  readonly nodes: readonly NodePorts[]
}

/** Free ones for so many nodes; they differ. */
export async function freePorts(nodes: number): Promise<VenuePorts> {
  const taken = new Set<number>()
  const next = async (): Promise<number> => {
    for (;;) {
      const port = await freePort()
      if (taken.has(port)) continue
      taken.add(port)
      return port
    }
  }
  const ports: NodePorts[] = []
  for (let node = 0; node < nodes; node++) ports.push({ gateway: await next(), nats: await next(), route: await next(), gatewayMetrics: await next(), shardMetrics: await next() })
  return { rpc: await next(), nodes: ports }
}

/** A port that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('the system gave no port')
  return address.port
}

/** @throws Fault with one sentence where somebody listens on the port already */
export async function requireFree(port: number, use: string, option: string): Promise<void> {
  const server = createServer().listen(port, LOOPBACK)
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new Fault(`Port ${port}, wanted for ${use}, is in use by another program: end that, or choose another port with ${option} N.`)
    throw new Fault(`Port ${port}, wanted for ${use}, cannot be used (${code}): choose another with ${option} N.`)
  }
  server.close()
  await once(server, 'close')
}

/** Whether something accepts connections there and, where it is to speak first, speaks. @param trust where it speaks TLS: PEM of who signs its certificate */
export async function answers(port: number, speaksFirst: boolean, trust?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = trust === undefined ? createConnection(port, LOOPBACK) : connect({ port, host: LOOPBACK, ca: trust })
    const finish = (value: boolean): void => {
      socket.destroy()
      resolve(value)
    }
    socket.setTimeout(1_000, () => finish(false))
    socket.once(speaksFirst ? 'data' : 'connect', () => finish(true))
    socket.once('error', () => finish(false))
    socket.once('close', () => finish(false))
  })
}

import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'
import type { Server } from 'node:net'
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

/** Free ones for so many nodes. */
export async function freePorts(nodes: number): Promise<VenuePorts> {
  const ports: NodePorts[] = []
  for (let node = 0; node < nodes; node++) ports.push({ gateway: await freePort(), nats: await freePort(), route: await freePort(), gatewayMetrics: await freePort(), shardMetrics: await freePort() })
  return { rpc: await freePort(), nodes: ports }
}

/**
 * A port of this machine that nobody listens on. This process alone is given it, among all that ask here, for as long as it lives: a server
 * can be ended and started again on it. It is none that the system takes for a connection out of here, as one of `listen(0)` is.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await ownBlocks.next()
    const server = await listenOn(port)
    if (server === null) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

/** Ports in blocks below those that Linux and others connect from (32768 and 49152 on); a process has a block while it listens on its first port. */
class PortBlocks {
  static readonly #FIRST = 10_000
  static readonly #SIZE = 50
  static readonly #COUNT = 440
  #next = 0
  #end = 0
  #taking: Promise<void> | undefined

  async next(): Promise<number> {
    while (this.#next === this.#end) await (this.#taking ??= this.#take().finally(() => (this.#taking = undefined)))
    return this.#next++
  }

  async #take(): Promise<void> {
    for (;;) {
      const first = PortBlocks.#FIRST + PortBlocks.#SIZE * randomInt(PortBlocks.#COUNT)
      const holder = await listenOn(first)
      if (holder === null) continue
      holder.unref()
      this.#next = first + 1
      this.#end = first + PortBlocks.#SIZE
      return
    }
  }
}

const ownBlocks = new PortBlocks()

/** null where somebody listens there. */
async function listenOn(port: number): Promise<Server | null> {
  const server = createServer().listen(port, LOOPBACK)
  try {
    await once(server, 'listening')
    return server
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return null
    throw error
  }
}

/** @throws Fault with one sentence where somebody listens on the port already */
export async function requireFree(port: number, use: string, option: string): Promise<void> {
  const server = await listenOn(port).catch((error: NodeJS.ErrnoException) => {
    throw new Fault(`Port ${port}, wanted for ${use}, cannot be used (${error.code}): choose another with ${option} N.`)
  })
  if (server === null) throw new Fault(`Port ${port}, wanted for ${use}, is in use by another program: end that, or choose another port with ${option} N.`)
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

import { createServer } from 'node:net'
import { once } from 'node:events'
import { startNats } from './server.ts'
import type { NatsServer } from './server.ts'

/** Real nats-servers that form one cluster on loopback. JetStream takes a few seconds to have a leader: ask until it answers. */
export async function startNatsCluster(count: number, options: { readonly user?: string; readonly password?: string } = {}): Promise<readonly NatsServer[]> {
  const ports = await freePorts(count)
  const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(', ')
  return Promise.all(
    ports.map((port, index) => {
      const configuration = `server_name: "n${index}"\ncluster { name: "test", listen: "127.0.0.1:${port}", routes: [${routes}], no_advertise: true }`
      return startNats({ ...options, configuration })
    }),
  )
}

/** Held all at once, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const held = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  return Promise.all(
    held.map(async (server) => {
      const address = server.address()
      server.close()
      await once(server, 'close')
      if (address === null || typeof address === 'string') throw new Error('no free port')
      return address.port
    }),
  )
}

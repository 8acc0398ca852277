import { freePort } from '../../scripts/venue/ports.ts'
import { startNats } from './server.ts'
import type { NatsServer } from './server.ts'

/** Real nats-servers that form one cluster on loopback. JetStream takes a few seconds to have a leader: ask until it answers. */
export async function startNatsCluster(count: number, options: { readonly user?: string; readonly password?: string } = {}): Promise<readonly NatsServer[]> {
  const ports = await Promise.all(Array.from({ length: count }, freePort))
  const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(', ')
  return Promise.all(
    ports.map((port, index) => {
      const configuration = `server_name: "n${index}"\ncluster { name: "test", listen: "127.0.0.1:${port}", routes: [${routes}], no_advertise: true }`
      return startNats({ ...options, configuration })
    }),
  )
}

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { installNatsServer } from '../../scripts/setup/natsServer.ts'
import { clusterNode, natsServer } from '../../scripts/venue/natsServer.ts'
import { freePorts } from '../../scripts/venue/ports.ts'
import { checkout } from '../../scripts/venue/programs.ts'
import { ServerProcess } from '../../scripts/venue/serverProcess.ts'
import { StateFolder } from '../../scripts/venue/stateFolder.ts'
import { NATS_TLS } from '../../scripts/venue/venueFile.ts'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import { developmentKeys } from '../../src/enclave/simulator/developmentKeys.ts'
import { OwnNatsCertificates } from '../../src/enclave/natsAuthority.ts'
import { natsKeys } from '../../src/enclave/natsKeys.ts'
import type { NatsAccess } from '../../src/protocol/natsAccess.ts'
import type { Subjects } from '../../src/protocol/subjects.ts'

/** Servers that keep the journals of a run. */
export interface BenchServer {
  readonly access: NatsAccess
  readonly connection: NatsConnection
  stop(): Promise<void>
}

/** The given servers, or as many of our own as copies are wanted, in a folder that goes with them; with the venue's streams on `replicas` of them. */
export async function openServer(subjects: Subjects, given: NatsAccess | null, replicas: number): Promise<BenchServer> {
  const own = given === null ? await startServers(subjects, replicas) : null
  const access = given ?? own!.access
  const connection = await connectNats(access, 'bench')
  await ensureStreams(connection, subjects, replicas)
  const manager = await jetstreamManager(connection)
  const streams = [subjects.journalStream, subjects.snapshotStream, subjects.feedStream]
  return {
    access,
    connection,
    stop: async () => {
      for (const stream of streams) await manager.streams.delete(stream)
      await connection.close()
      await own?.stop()
    },
  }
}

async function startServers({ venue }: Subjects, count: number): Promise<{ access: NatsAccess; stop(): Promise<void> }> {
  await installNatsServer(() => undefined)
  const folder = mkdtempSync(join(tmpdir(), 'darkpool-bench-journal-'))
  mkdirSync(join(folder, 'logs'))
  const root = developmentKeys(join(folder, 'keys', 'root'))
  const keys = await natsKeys(root)
  const certificates = new OwnNatsCertificates(root, { venue, nats: { tls: NATS_TLS } })
  const user = 'bench'
  const { nodes } = await freePorts(count)
  const servers = nodes.map((ports, n) => {
    const node = count === 1 ? undefined : clusterNode(`n${n}`, ports, nodes, certificates)
    const plan = natsServer(new StateFolder(folder), { venue, user, keys, port: ports.nats }, checkout.natsServer, node)
    return new ServerProcess(plan, { say: (text) => void process.stderr.write(`${text}\n`), changed: () => undefined })
  })
  await Promise.all(servers.map((server) => server.start()))
  return {
    access: { user, password: keys.password, servers: nodes.map(({ nats }) => `127.0.0.1:${nats}`), ...(count > 1 && { trust: (await certificates.authorities()).join('') }) },
    stop: async () => {
      for (const server of servers) await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { installNatsServer } from '../../scripts/setup/natsServer.ts'
import { natsServer } from '../../scripts/venue/natsServer.ts'
import { freePort } from '../../scripts/venue/ports.ts'
import { ServerProcess } from '../../scripts/venue/serverProcess.ts'
import { StateFolder } from '../../scripts/venue/stateFolder.ts'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import type { NatsAccess } from '../../src/actors/runtime/transport.ts'
import type { Subjects } from '../../src/protocol/subjects.ts'

/** Servers that keep the journals of a run. */
export interface BenchServer {
  readonly access: NatsAccess
  readonly connection: NatsConnection
  stop(): Promise<void>
}

/** The given servers, or one of our own in a folder that goes with it; with the venue's streams on `replicas` of them. */
export async function openServer(subjects: Subjects, given: NatsAccess | null, replicas: number): Promise<BenchServer> {
  const own = given === null ? await startServer() : null
  const access = given ?? own!.access
  const connection = await connectNats(access, 'bench')
  await ensureStreams(connection, subjects)
  const manager = await jetstreamManager(connection)
  const streams = [subjects.journalStream, subjects.snapshotStream, subjects.feedStream]
  if (replicas > 1) for (const stream of streams) await manager.streams.update(stream, { num_replicas: replicas })
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

async function startServer(): Promise<{ access: NatsAccess; stop(): Promise<void> }> {
  await installNatsServer(() => undefined)
  const state = mkdtempSync(join(tmpdir(), 'darkpool-bench-journal-'))
  mkdirSync(join(state, 'logs'))
  const settings = { port: await freePort(), user: 'bench', password: 'on loopback only' }
  const server = new ServerProcess(natsServer(new StateFolder(state), settings), { say: (text) => void process.stderr.write(`${text}\n`), changed: () => undefined })
  await server.start()
  return {
    access: { servers: [`nats://127.0.0.1:${settings.port}`], user: settings.user, password: settings.password },
    stop: async () => {
      await server.stop()
      rmSync(state, { recursive: true, force: true })
    },
  }
}

import t from 'tap'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import { page } from '../../src/monitoring/meters.ts'
import { ProcessMeters } from '../../src/monitoring/processMeters.ts'
import { startNats } from '../nats/server.ts'
import { until } from '../settlement/waiting.ts'
import { readPage, total } from './page.ts'

t.test('a process that has lost NATS says so, and when it is back', async (t) => {
  const nats = await startNats()
  const connection = await connectNats({ servers: [nats.url], user: nats.user, password: nats.password }, 'test')
  t.teardown(async () => {
    await connection.close()
    await nats.stop()
  })
  const meters = new ProcessMeters(connection)
  const connected = async () => total(readPage(await page([await meters.read()])), 'darkpool_process_nats_connected')
  t.equal(await connected(), 1)
  await nats.kill()
  await until('it is seen', async () => (await connected()) === 0)
  await nats.restart()
  await until('it is back', async () => (await connected()) === 1)
})

import { once } from 'node:events'
import { createServer as createPlain } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer } from 'node:tls'
import t from 'tap'
import { newTlsIdentity } from '../../src/enclave/tlsIdentity.ts'
import { shownCertificateEnd } from '../../src/monitoring/shownCertificate.ts'

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => void sockets.add(socket))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

t.test('the end of what a server shows, whoever signed it', async (t) => {
  const made = new Date('2026-03-01T00:00:00Z')
  const port = await listening(createServer({ ...newTlsIdentity(['localhost'], made) }))
  t.equal(await shownCertificateEnd('127.0.0.1', port, 60_000), made.getTime() / 1_000 + 3_650 * 86_400)
})

t.test('a server that speaks no TLS, that says nothing, and that is not there', async (t) => {
  const rude = await listening(createPlain((socket) => socket.on('error', () => undefined).end('INFO {}\r\n')))
  await t.rejects(shownCertificateEnd('127.0.0.1', rude, 60_000))
  const silent = await listening(createPlain((socket) => socket.on('error', () => undefined)))
  await t.rejects(shownCertificateEnd('127.0.0.1', silent, 50), { name: 'AbortError' })
  const gone = createPlain()
  const port = await listening(gone)
  gone.close()
  await t.rejects(shownCertificateEnd('127.0.0.1', port, 60_000), { code: 'ECONNREFUSED' })
})

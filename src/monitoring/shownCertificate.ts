import { once } from 'node:events'
import { connect } from 'node:tls'

/**
 * When the certificate ends that a TLS server shows, in Unix seconds. Whether it is to be trusted is not asked: nothing is said to the server.
 * @throws Error where it shows none in time
 */
export async function shownCertificateEnd(host: string, port: number, limit_ms: number): Promise<number> {
  const socket = connect({ host, port, rejectUnauthorized: false })
  // What it may still say is not for us.
  const ignore = (): void => void socket.on('error', () => undefined).resume()
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(limit_ms) })
  } catch (error) {
    ignore()
    socket.destroy()
    throw error
  }
  ignore()
  const end_ms = socket.getPeerX509Certificate()?.validToDate.getTime()
  // In order: a server logs a connection that breaks off within the handshake, as which a sudden end would count.
  socket.end()
  setTimeout(() => socket.destroy(), limit_ms).unref()
  if (end_ms === undefined) throw new Error('the server shows no certificate')
  return end_ms / 1_000
}

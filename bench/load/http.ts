import { once } from 'node:events'
import { connect } from 'node:net'
import type { Lane } from './lane.ts'
import type { HttpLoad } from './plan.ts'

const HEAD_END = Buffer.from('\r\n\r\n')

/** Keep-alive connections, with as little work per request as Node allows, so that what is measured is the venue. */
export async function openHttp({ url, path, connections, bodies }: HttpLoad): Promise<Lane[]> {
  const { host, hostname, port } = new URL(url)
  const head = `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: `
  const requests = bodies.map((body) => Buffer.from(`${head}${Buffer.byteLength(body)}\r\n\r\n${body}`))
  return Promise.all(Array.from({ length: connections }, () => open(hostname, Number(port), requests)))
}

async function open(host: string, port: number, requests: readonly Buffer[]): Promise<Lane> {
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  let received: Buffer = Buffer.alloc(0)
  let answered: (taken: boolean) => void = () => undefined
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const end = received.indexOf(HEAD_END)
    if (end < 0) return
    const head = received.toString('latin1', 0, end)
    const whole = end + HEAD_END.length + Number(/content-length: (\d+)/i.exec(head)?.[1])
    if (received.length < whole) return
    received = received.subarray(whole)
    answered(/^HTTP\/1\.1 20[012] /.test(head))
  })
  return {
    send: (n, then) => {
      answered = then
      socket.write(requests[n]!)
    },
    onBroken: (call) => {
      socket.once('error', call)
      socket.once('close', () => call(new Error('the gateway closed the connection')))
    },
    close: () => void socket.destroy(),
  }
}

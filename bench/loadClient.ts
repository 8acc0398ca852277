// The load client's process: as little work per request as Node allows, so that what is measured is the venue.
import { once } from 'node:events'
import { connect } from 'node:net'
import type { LoadPlan, LoadResult } from './load.ts'

const HEAD_END = Buffer.from('\r\n\r\n')

const [plan] = (await once(process, 'message')) as [LoadPlan]
const requests = plan.bodies.map((body) =>
  Buffer.from(`POST ${plan.path} HTTP/1.1\r\nHost: ${plan.host}:${plan.port}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`),
)
const latencies = new Float64Array(requests.length)
let next = 0
let refused = 0

/** When a request is due, in milliseconds. */
const dueAt = (n: number): number => begun + (n / plan.rate_s) * 1000

/** One keep-alive connection that sends the next request as soon as its last one is answered, and in an open loop not before it is due. */
async function converse(): Promise<void> {
  const socket = connect({ host: plan.host, port: plan.port, noDelay: true })
  await once(socket, 'connect')
  await new Promise<void>((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0)
    let current = -1
    let sent = 0
    const send = (): void => {
      if (next === requests.length) {
        socket.end()
        resolve()
        return
      }
      current = next++
      sent = performance.now()
      if (plan.rate_s === 0) return void socket.write(requests[current] as Buffer)
      const early_ms = dueAt(current) - sent
      sent = dueAt(current)
      if (early_ms <= 0) socket.write(requests[current] as Buffer)
      else setTimeout(() => socket.write(requests[current] as Buffer), early_ms)
    }
    socket.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      const head = received.indexOf(HEAD_END)
      if (head < 0) return
      const text = received.toString('latin1', 0, head)
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1])
      if (received.length < head + HEAD_END.length + length) return
      latencies[current] = performance.now() - sent
      if (!/^HTTP\/1\.1 20[012] /.test(text)) refused++
      received = received.subarray(head + HEAD_END.length + length)
      send()
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the gateway closed the connection')))
    send()
  })
}

const cpu = process.cpuUsage()
const begun = performance.now()
await Promise.all(Array.from({ length: plan.connections }, converse))
const elapsed_s = (performance.now() - begun) / 1000
const { user, system } = process.cpuUsage(cpu)
latencies.sort()
const percentile = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
const result: LoadResult = {
  answered: requests.length,
  refused,
  elapsed_s,
  p50_ms: percentile(0.5),
  p99_ms: percentile(0.99),
  cpu_s: (user + system) / 1e6,
}
process.send?.(result)

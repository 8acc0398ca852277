import { once } from 'node:events'
import { WebSocket } from 'ws'
import { streamUrl } from '../../src/client/wire.ts'
import type { Lane } from './lane.ts'
import type { StreamLoad } from './plan.ts'

/** WebSockets that hand in orders: the bodies that are posted over HTTP, with an id and an op. */
export async function openStreams({ url, connections, bodies }: StreamLoad): Promise<Lane[]> {
  const address = streamUrl(url)
  const requests = bodies.map((body, n) => `{"id":"${n}","op":"place",${body.slice(1)}`)
  return Promise.all(Array.from({ length: connections }, () => open(address, requests)))
}

async function open(address: string, requests: readonly string[]): Promise<Lane> {
  const socket = new WebSocket(address, { perMessageDeflate: false })
  // Its greeting.
  await once(socket, 'message')
  let answered: (taken: boolean) => void = () => undefined
  socket.on('message', (data: Buffer) => {
    const text = data.toString('latin1')
    // Heartbeats come too.
    if (text.startsWith('{"type":"answer"')) answered(/^{"type":"answer","id":"\d+","status":20[012],/.test(text))
  })
  return {
    send: (n, then) => {
      answered = then
      socket.send(requests[n]!)
    },
    onBroken: (call) => {
      socket.once('error', call)
      socket.once('close', (code) => call(new Error(`the gateway closed the connection (${code})`)))
    },
    close: () => socket.terminate(),
  }
}

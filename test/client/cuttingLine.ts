import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

/** A TCP line that ends each connection after so many bytes from the far side, wherever in a message that is; 0: when it is told to. */
export class CuttingLine {
  readonly url: string
  /** What the connections to come carry, in turn. */
  readonly lengths: number[] = []
  connections = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  static async open(to: string): Promise<CuttingLine> {
    const { hostname, port } = new URL(to)
    const server = createServer((near) => line.#join(near, connect(Number(port), hostname)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const line: CuttingLine = new CuttingLine(server)
    return line
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(near: Socket, far: Socket): void {
    this.connections++
    const length = this.lengths.shift() ?? 0
    let carried = 0
    const end = (): void => {
      near.destroy()
      far.destroy()
      this.#sockets.delete(near)
    }
    this.#sockets.add(near)
    for (const socket of [near, far]) {
      socket.on('error', end)
      socket.on('close', end)
    }
    near.on('data', (chunk) => void far.write(chunk))
    far.on('data', (chunk) => {
      const room = length === 0 ? chunk.length : length - carried
      carried += chunk.length
      near.write(chunk.subarray(0, Math.max(0, room)))
      // What was carried arrives before the end of it.
      if (length > 0 && carried >= length) near.end(end)
    })
  }
}

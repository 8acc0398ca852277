import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { customerOf } from './address.ts'

/** Holds a server to so many connections in all, and so many of one address: one more is closed before a byte of it is read. */
export function boundConnections(server: Server, inAll: number, perAddress: number): void {
  const open = new Map<string, number>()
  server.maxConnections = inAll
  server.on('connection', (socket: Socket) => {
    const customer = customerOf(socket.remoteAddress)
    const count = (open.get(customer) ?? 0) + 1
    if (count > perAddress) return void socket.destroy()
    open.set(customer, count)
    socket.once('close', () => {
      const left = open.get(customer)! - 1
      if (left > 0) open.set(customer, left)
      else open.delete(customer)
    })
  })
}

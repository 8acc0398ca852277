import type { NatsConnection } from '@nats-io/transport-node'
import { ClockShift } from './clockShift.ts'
import { LoopLag } from './loopLag.ts'
import { Meters } from './meters.ts'
import type { Readings } from './meters.ts'

const US_PER_S = 1e6

/** What every process says of itself. */
export class ProcessMeters {
  readonly #meters = new Meters()
  readonly #lag = new LoopLag()
  readonly #clock = new ClockShift()
  readonly #started_s = Date.now() / 1_000 - process.uptime()
  #connected = true

  constructor(connection: NatsConnection) {
    void this.#follow(connection)
  }

  async read(): Promise<Readings> {
    const { user, system } = process.cpuUsage()
    const { rss, heapUsed } = process.memoryUsage()
    const meters = this.#meters
    meters.set('darkpool_process_start_time_seconds', this.#started_s)
    meters.set('darkpool_process_cpu_seconds_total', (user + system) / US_PER_S)
    meters.set('darkpool_process_resident_memory_bytes', rss)
    meters.set('darkpool_process_heap_bytes', heapUsed)
    meters.set('darkpool_process_event_loop_lag_seconds', this.#lag.longest_s)
    meters.set('darkpool_process_clock_shift_seconds', this.#clock.shift_s)
    meters.set('darkpool_process_nats_connected', this.#connected ? 1 : 0)
    return meters.read()
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect' || type === 'close') this.#connected = false
      else if (type === 'reconnect') this.#connected = true
    }
    this.#connected = false
  }
}

import { Meters } from '../../monitoring/meters.ts'
import type { Readings } from '../../monitoring/meters.ts'
import type { ActorName } from '../../protocol/identity.ts'
import type { EndpointHealth, RpcMeter } from './panel.ts'

/** How an actor fares with its RPC endpoints. */
export class RpcMeters implements RpcMeter {
  readonly #meters = new Meters()
  readonly #labels: { readonly actor: ActorName }

  constructor(actor: ActorName) {
    this.#labels = { actor }
    this.#meters.expect('darkpool_rpc_call_seconds', this.#labels)
    this.#meters.count('darkpool_rpc_calls_failed_total', this.#labels, 0)
  }

  called(took_ms: number, failed: boolean): void {
    this.#meters.observe('darkpool_rpc_call_seconds', took_ms / 1_000, this.#labels)
    if (failed) this.#meters.count('darkpool_rpc_calls_failed_total', this.#labels)
  }

  read({ endpoints, down, disagreeing }: EndpointHealth): Promise<Readings> {
    this.#meters.set('darkpool_rpc_endpoints', endpoints, this.#labels)
    this.#meters.set('darkpool_rpc_endpoints_down', down, this.#labels)
    this.#meters.set('darkpool_rpc_endpoints_disagreeing', disagreeing, this.#labels)
    return this.#meters.read()
  }
}

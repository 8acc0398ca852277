import type { Outgoing } from './transport.ts'

/** Order entry as a stream names it: its `op`. */
export type OrderEntry = 'place' | 'amend' | 'cancel' | 'cancelAll' | 'deadMan' | 'placeBatch' | 'cancelBatch'

const orders = '/api/v1/orders'

/** What of order entry a request is; null where it is none. A signed message says by itself what it is about: the path adds nothing to it. */
export function orderEntryOf({ method, url: { pathname } }: Pick<Outgoing, 'method' | 'url'>): OrderEntry | null {
  if (pathname === `${orders}/batch`) return method === 'POST' ? 'placeBatch' : method === 'DELETE' ? 'cancelBatch' : null
  if (pathname === orders) return method === 'POST' ? 'place' : method === 'DELETE' ? 'cancelAll' : null
  if (pathname === '/api/v1/dead-man') return method === 'POST' ? 'deadMan' : null
  if (!pathname.startsWith(`${orders}/`)) return null
  return method === 'PUT' ? 'amend' : method === 'DELETE' ? 'cancel' : null
}

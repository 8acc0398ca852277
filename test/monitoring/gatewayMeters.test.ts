import t from 'tap'
import { newTlsIdentity } from '../../src/enclave/tlsIdentity.ts'
import { GatewayMeters } from '../../src/gateway/meters.ts'
import { page } from '../../src/monitoring/meters.ts'
import type { MarketName } from '../../src/protocol/identity.ts'
import { pairActor } from '../../src/protocol/subjects.ts'
import type { PlaceOrder, VaultCommand } from '../../src/protocol/vault.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import { venueFile } from '../gateway/stage.ts'
import { readPage, total } from './page.ts'

const venue = readVenue(venueFile({ url: 'nats://127.0.0.1:4222', user: 'darkpool' }))
const parts = { gateway: { admission: { inFlight: 3 }, signatures: { waiting: 2 }, owners: { missing: () => [pairActor('EURC-USDC' as MarketName)] } }, streams: { size: 5, followed: 4 }, subscribers: { sessions: { size: 6 } }, certificate: null } as unknown as Parameters<GatewayMeters['read']>[0]

t.test('orders are counted by market, taken and refused apart; nothing else that is signed is', async (t) => {
  const meters = new GatewayMeters(venue)
  const order = (market: string) => ({ kind: 'place', market }) as PlaceOrder
  for (let n = 0; n < 3; n++) meters.answered(order('XLM-USDC'), false, 4)
  meters.answered(order('XLM-USDC'), true, 400)
  meters.answered(order('EURC-USDC'), true, 1)
  for (const kind of ['cancel', 'amend', 'withdraw', 'cancelAll', 'delegate'] as const) meters.answered({ kind } as VaultCommand, false, 1)
  for (const status of [200, 201, 404, 503, 500]) meters.responded(status)
  const read = readPage(await page([await meters.read(parts)]))
  t.equal(total(read, 'darkpool_orders_total', { market: 'XLM-USDC' }), 3)
  t.equal(total(read, 'darkpool_orders_refused_total', { market: 'XLM-USDC' }), 1)
  t.equal(total(read, 'darkpool_orders_total', { market: 'EURC-USDC' }), 0)
  t.same(['0.0025', '0.005', '0.25', '0.5'].map((le) => total(read, 'darkpool_order_answer_seconds_bucket', { market: 'XLM-USDC', le })), [0, 3, 3, 4])
  t.same(['requests_total', 'requests_failed_total', 'requests_in_flight', 'signatures_waiting'].map((name) => total(read, `darkpool_gateway_${name}`)), [5, 2, 3, 2])
  t.same(['streams', 'accounts_followed', 'nats_connections'].map((name) => total(read, `darkpool_feed_${name}`)), [5, 4, 6])
  t.same(['pair.XLM-USDC', 'pair.EURC-USDC', 'settlement.0'].map((actor) => total(read, 'darkpool_actor_heard', { actor })), [1, 0, 1])
})

t.test('when the certificate ends is shown where there is one', async (t) => {
  const meters = new GatewayMeters(venue)
  t.equal(total(readPage(await page([await meters.read(parts)])), 'darkpool_gateway_certificate_expiry_seconds'), null)
  const made = new Date('2026-02-01T00:00:00Z')
  const { cert } = newTlsIdentity(['localhost'], made)
  const ends = total(readPage(await page([await meters.read({ ...parts, certificate: cert })])), 'darkpool_gateway_certificate_expiry_seconds')!
  t.equal(ends, made.getTime() / 1_000 + 3_650 * 86_400)
  // What the alert asks: one that was made ten years ago but for a week.
  const now = made.getTime() / 1_000 + 3_643 * 86_400
  t.ok(ends - now < 14 * 86_400)
})

import t from 'tap'
import { exitStanding, withdrawalStanding } from '../../src/cli/withdrawalStanding.ts'
import type { Around } from '../../src/cli/withdrawalStanding.ts'
import { ageText } from '../../src/cli/text.ts'
import type { AccountId, Amount, ContractId, MessageId, Milliseconds, Seconds } from '../../src/protocol/identity.ts'
import type { KnownExit, KnownWithdrawal, WithdrawalStatus } from '../../src/protocol/vault.ts'

const NOW = 1_800_000_000_000
const id = 'ab'.repeat(32) as MessageId
const withdrawal = (status: WithdrawalStatus, ago_ms = 0): KnownWithdrawal => ({
  id, account: 'GA' as AccountId, asset: 'CA' as ContractId, amount: 1n as Amount, status, created: (NOW - ago_ms) as Milliseconds, updated: (NOW - ago_ms) as Milliseconds,
  validUntil: status === 'cosigned' ? 900 : null, transaction: null, ledger: null,
})
const exit = (due_s: number): KnownExit => ({ account: 'GA' as AccountId, asset: 'CA' as ContractId, asked: 5n as Amount, held: 5n as Amount, due: (NOW / 1_000 + due_s) as Seconds, created: NOW as Milliseconds })
const around = (more: Partial<Around> = {}): Around => ({ cosigns: new Map([[id, { state: 'waiting', before: 2 }]]), alarms: [], watcher: { gap: null }, watcherAlarms: [], now: NOW as Milliseconds, ...more })

t.test('whose turn it is, and whether somebody has to look', async (t) => {
  const asked = (more: Partial<Around>, ago_ms = 0) => withdrawalStanding(withdrawal('requested', ago_ms), around(more))
  t.match(asked({}), { waitsFor: 'signature', why: 'the engine’s signature, after 2 others', stuck: false })
  t.match(asked({}, 60_001), { waitsFor: 'signature', stuck: true }, 'a signature does not take a minute')
  t.match(asked({ cosigns: new Map([[id, { state: 'waiting', before: 0 }]]) }), { why: 'the engine’s signature' })
  t.match(asked({ alarms: ['peer_behind', 'chain_unreachable'] }), { waitsFor: 'chain', why: /chain_unreachable/, stuck: true })
  t.match(asked({ alarms: ['chain_diverged'] }), { waitsFor: 'chain', why: /chain_diverged/, stuck: true })
  t.match(asked({ cosigns: null }), { waitsFor: 'settlement', stuck: true })
  for (const cosigns of [new Map(), new Map([[id, { state: 'unknown' }]])]) t.match(asked({ cosigns }), { waitsFor: 'delivery', stuck: false })
  t.match(asked({ cosigns: new Map() }, 60_001), { stuck: true })
  t.match(asked({ cosigns: new Map([[id, { state: 'decided' }]]) }), { waitsFor: 'answer', stuck: false })
  const signed = (more: Partial<Around>) => withdrawalStanding(withdrawal('cosigned', 600_000), around(more))
  t.match(signed({}), { waitsFor: 'owner', why: 'its owner, to send it by ledger 900', stuck: false })
  t.match(signed({ watcher: null }), { waitsFor: 'watcher', why: /does not answer/, stuck: true })
  t.match(signed({ watcher: { gap: { needed: 7, oldest: 9 } } }), { waitsFor: 'watcher', why: /no endpoint has ledger 7/, stuck: true })
  t.match(signed({ watcherAlarms: ['chain_unreachable'] }), { waitsFor: 'watcher', stuck: true })
  for (const status of ['completed', 'expired', 'refused'] as const) t.same(withdrawalStanding(withdrawal(status, 600_000), around({ cosigns: null, watcher: null })), { waitsFor: null, why: '', stuck: false })
  t.match(exitStanding(exit(60), around()), { waitsFor: 'delay', why: 'the contract’s delay, until 2027-01-15T08:01:00Z', stuck: false })
  t.match(exitStanding(exit(-60), around()), { waitsFor: 'owner', why: /claim it since 2027-01-15T07:59:00Z/, stuck: false })
  t.match(exitStanding(exit(-60), around({ watcher: null })), { waitsFor: 'watcher', stuck: true })
})

t.test('spans of time are as coarse as they are long', (t) => {
  t.same([0, 119, 120, 7_199, 7_200, 172_799, 172_800].map(ageText), ['0 s', '119 s', '2 min', '119 min', '2 h', '47 h', '2 d'])
  t.end()
})

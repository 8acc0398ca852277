import { VaultMachine } from '../../src/actors/vault/vaultMachine.ts'
import type { AccountId, Amount, ContractId, Lots, MarketName, MessageId, OrderId, Seconds, Ticks, TradeId } from '../../src/protocol/identity.ts'
import type { Answer } from '../../src/protocol/packets.ts'
import type { AmendRefusal, CloseReason } from '../../src/protocol/pair.ts'
import { pairActor, settlementActor, watcherActor } from '../../src/protocol/subjects.ts'
import type { AmendOrder, BalanceState, CancelAllOrders, CancelOrder, DelegateKey, OrderState, PlaceOrder, Presence, RequestWithdrawal, RevokeKey, SetDeadMan, VaultCommand, WithdrawalState } from '../../src/protocol/vault.ts'
import { plainTerms } from '../../src/protocol/terms.ts'
import { Recorder } from '../pair/recorder.ts'
import { AQ, marketOf, smallVenue } from '../pair/smallVenue.ts'

export const START = 1_800_000_000_000
export const venue = smallVenue()

/** A vault actor with words to speak to it; a test plays market, chain and settlement. */
export function openVault(machine = new VaultMachine(0, venue)) {
  const effects = new Recorder(START)
  let request = 0
  let trades = 0
  const expires = (): Seconds => (Math.floor(effects.time / 1000) + 600) as Seconds

  /** The answer, or null where the machine left it to a market. */
  const command = (command: VaultCommand): Answer | null => {
    const before = effects.answers.length
    machine.command(command, { gateway: 'g', request: ++request }, effects)
    const answers = effects.answers.slice(before)
    if (answers.length > 1) throw new Error('a command is answered once')
    return answers[0]?.answer ?? null
  }
  const refusal = (answer: Answer | null): string | null => (answer !== null && 'refused' in answer ? answer.refused : null)

  const order = (id: string, account: AccountId, side: PlaceOrder['side'], lots: number, ticks: number, more: Partial<PlaceOrder> = {}): PlaceOrder => ({
    kind: 'place', id: id as OrderId, clientOrderId: id, account, signer: account, market: AQ, side, type: 'limit', ticks: ticks as Ticks, lots: lots as Lots,
    spend: 0n as Amount, timeInForce: 'GTC', terms: plainTerms, expires: expires(), ...more,
  })
  const place = (...terms: Parameters<typeof order>): string | null => refusal(command(order(...terms)))
  const cancel = (account: AccountId, target: string, more: Partial<CancelOrder> = {}): string | null =>
    refusal(command({ kind: 'cancel', id: `c${request}` as MessageId, account, signer: account, order: target as OrderId, clientOrderId: null, expires: expires(), ...more }))
  /** @param id of the message */
  const cancelNamed = (id: string, account: AccountId, clientOrderId: string, more: Partial<CancelOrder> = {}): Answer | null =>
    command({ kind: 'cancel', id: id as MessageId, account, signer: account, order: null, clientOrderId, expires: expires(), ...more })
  const amend = (id: string, account: AccountId, target: string, lots: number, ticks: number, more: Partial<AmendOrder> = {}): Answer | null => {
    const market = marketOf(venue, AQ)
    const terms = { price: market.formatPrice(ticks as Ticks), quantity: market.formatQuantity(lots as Lots) }
    return command({ kind: 'amend', id: id as MessageId, account, signer: account, order: target as OrderId, ...terms, expires: expires(), ...more })
  }
  const cancelAll = (id: string, account: AccountId, market: MarketName | null, more: Partial<CancelAllOrders> = {}): Answer | null =>
    command({ kind: 'cancelAll', id: id as MessageId, account, signer: account, market, expires: expires(), ...more })
  const deadMan = (id: string, account: AccountId, timeout_s: number, more: Partial<SetDeadMan> = {}): Answer | null =>
    command({ kind: 'deadMan', id: id as MessageId, account, signer: account, timeout_s, expires: (Math.floor(effects.time / 1000) + 30) as Seconds, ...more })
  const presence = (session: string, account: AccountId, timeout_ms: number, more: Partial<Presence> = {}): Answer | null =>
    command({ kind: 'presence', account, signer: account, session, timeout_ms, cancel: false, ...more })
  const withdraw = (id: string, account: AccountId, asset: ContractId, amount: bigint, more: Partial<RequestWithdrawal> = {}): Answer | null =>
    command({ kind: 'withdraw', id: id as MessageId, account, signer: account, asset, amount: amount as Amount, expires: expires(), ...more })
  /** For a minute, unless told otherwise. */
  const delegate = (id: string, account: AccountId, key: AccountId, more: Partial<DelegateKey> = {}): Answer | null => {
    const until = (Math.floor(effects.time / 1000) + 60) as Seconds
    return command({ kind: 'delegate', id: id as MessageId, account, signer: account, key, scope: 'trade', market: null, until, expires: expires(), ...more })
  }
  const revoke = (id: string, account: AccountId, key: AccountId, more: Partial<RevokeKey> = {}): Answer | null =>
    command({ kind: 'revoke', id: id as MessageId, account, signer: account, key, expires: expires(), ...more })

  const deposit = (account: AccountId, asset: ContractId, amount: bigint): void =>
    machine.message(watcherActor, { kind: 'deposited', account, asset, amount: amount as Amount, transaction: 'tx', ledger: 1 }, effects)
  const withdrawn = (account: AccountId, asset: ContractId, amount: bigint): void =>
    machine.message(watcherActor, { kind: 'withdrawn', account, asset, amount: amount as Amount, transaction: 'tw', ledger: 2 }, effects)
  const ledger = (ledger: number): void => machine.message(watcherActor, { kind: 'ledger', ledger }, effects)
  const cosigned = (account: AccountId, id: string, validUntil: number): void =>
    machine.message(settlementActor(0), { kind: 'cosigned', withdrawal: id as MessageId, account, authorization: 'auth', validUntil }, effects)
  const cosignRefused = (account: AccountId, id: string): void =>
    machine.message(settlementActor(0), { kind: 'cosignRefused', withdrawal: id as MessageId, account }, effects)

  const rested = (account: AccountId, id: string, market: MarketName = AQ): void =>
    machine.message(pairActor(market), { kind: 'rested', order: id as OrderId, account, time: effects.time }, effects)
  const filled = (account: AccountId, id: string, lots: number, ticks: number, market: MarketName = AQ, fee = 0n): TradeId => {
    const trade = `${market}:${++trades}` as TradeId
    const rules = marketOf(venue, market)
    const amounts = { base: rules.baseAmount(lots as Lots), quote: rules.quoteAmount(ticks as Ticks, lots as Lots) }
    const fill = { trade, role: 'taker', ticks: ticks as Ticks, lots: lots as Lots, ...amounts, fee: fee as Amount } as const
    machine.message(pairActor(market), { kind: 'filled', order: id as OrderId, account, ...fill, time: effects.time }, effects)
    return trade
  }
  const closed = (account: AccountId, id: string, reason: CloseReason, market: MarketName = AQ): void =>
    machine.message(pairActor(market), { kind: 'closed', order: id as OrderId, account, reason, time: effects.time }, effects)
  const reduced = (account: AccountId, id: string, lots: number): void =>
    machine.message(pairActor(AQ), { kind: 'reduced', order: id as OrderId, account, lots: lots as Lots, time: effects.time }, effects)
  const amended = (account: AccountId, id: string, amend: string, lots: number, ticks: number): void =>
    machine.message(pairActor(AQ), { kind: 'amended', order: id as OrderId, account, amend: amend as MessageId, ticks: ticks as Ticks, lots: lots as Lots, time: effects.time }, effects)
  const amendRefused = (account: AccountId, id: string, amend: string, reason: AmendRefusal): void =>
    machine.message(pairActor(AQ), { kind: 'amendRefused', order: id as OrderId, account, amend: amend as MessageId, reason, time: effects.time }, effects)
  const swept = (account: AccountId, sweep: string, cancelled: number, market: MarketName = AQ, halted = false): void =>
    machine.message(pairActor(market), { kind: 'swept', account, sweep: sweep as MessageId, cancelled, halted, time: effects.time }, effects)
  const timed = (account: AccountId, ask: number, market: MarketName = AQ, signer = account): void =>
    machine.message(pairActor(market), { kind: 'timed', account, signer, ask, time: effects.time }, effects)
  const settled = (account: AccountId, trades: readonly TradeId[], moves: readonly (readonly [ContractId, bigint, bigint])[]): void =>
    machine.message(settlementActor(0), {
      kind: 'settled', account, trades, leaves: trades.map((_trade, n) => n), size: 2 * trades.length, from: 1, sequence: 1, transaction: 'tb', ledger: 3,
      moves: moves.map(([asset, into, out]) => ({ asset, in: into as Amount, out: out as Amount })),
    }, effects)

  const ok = <Value>(answer: Answer): Value => {
    if ('refused' in answer) throw new Error(answer.refused)
    return answer.ok as Value
  }
  /** settled, pending, reserved, available */
  const balance = (account: AccountId, asset: ContractId): readonly bigint[] => {
    const found = ok<BalanceState[]>(machine.query({ kind: 'balances', account })).find((state) => state.asset === asset)
    if (found === undefined) throw new Error('every asset has a balance')
    return [found.settled, found.pending, found.reserved, found.available]
  }
  const orderOf = (account: AccountId, id: string): OrderState => ok<OrderState>(machine.query({ kind: 'order', account, id: id as OrderId }))
  const withdrawalOf = (account: AccountId, id: string): WithdrawalState => ok<WithdrawalState>(machine.query({ kind: 'withdrawal', account, id: id as MessageId }))
  const at = (time: number): void => {
    effects.time = time as Recorder['time']
    machine.advance(effects)
  }

  const chain = { deposit, withdrawn, ledger, cosigned, cosignRefused, settled }
  const market = { rested, filled, reduced, amended, amendRefused, swept, timed, closed }
  return { machine, effects, command, refusal, order, place, cancel, cancelNamed, amend, cancelAll, deadMan, presence, withdraw, delegate, revoke, ...chain, ...market, balance, orderOf, withdrawalOf, at }
}

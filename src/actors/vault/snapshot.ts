import assert from 'node:assert/strict'
import { decode, encode } from '../../protocol/codec.ts'
import type { AccountId, MessageId, OrderId } from '../../protocol/identity.ts'
import type { Account, Order, VaultState, Withdrawal } from './state.ts'

/** Raised whenever what is stored changes; older ones are refused, or brought up to date here. */
const SNAPSHOT_VERSION = 9
/** Of before contract accounts could name keys: it holds all else. */
const WITHOUT_TRADING_KEYS = 8

/** An account whose orders and withdrawals are named instead of held: each is stored once, and is one object again when read. */
type StoredAccount = Omit<Account, 'open' | 'named' | 'inFlight'> & { readonly open: readonly OrderId[]; readonly inFlight: readonly MessageId[] }

/** All of a vault actor's state as plain data. Lists keep the order of the maps they stand for, since what happens next may depend on it. */
interface StoredState extends Omit<VaultState, 'accounts' | 'orders' | 'withdrawals' | 'cosigned'> {
  readonly version: number
  readonly accounts: readonly StoredAccount[]
  readonly orders: readonly Order[]
  readonly withdrawals: readonly Withdrawal[]
  readonly cosigned: readonly MessageId[]
}

/** Member by member: the codec writes them in this order, whatever the order in which the state got them. */
export function takeSnapshot(state: VaultState): Uint8Array {
  const accounts = Array.from(
    state.accounts.values(),
    ({ named: _named, ...account }): StoredAccount => ({ ...account, open: [...account.open.keys()], inFlight: account.inFlight.map(({ id }) => id) }),
  )
  const stored: StoredState = {
    version: SNAPSHOT_VERSION,
    accounts,
    orders: [...state.orders.values()],
    withdrawals: [...state.withdrawals.values()],
    cosigned: [...state.cosigned.keys()],
    exits: state.exits,
    amends: state.amends,
    sweeps: state.sweeps,
    cancels: state.cancels,
    tradingKeys: state.tradingKeys,
    keyChanges: state.keyChanges,
    timerMessages: state.timerMessages,
    forgettable: state.forgettable,
    compared: state.compared,
    holdings: state.holdings,
    ledger: state.ledger,
    orderCount: state.orderCount,
    timerCount: state.timerCount,
    alarmCount: state.alarmCount,
    alarms: state.alarms,
  }
  return encode(stored)
}

/** @throws Error where the bytes are not a snapshot of this version */
export function readSnapshot(bytes: Uint8Array): VaultState {
  const { version, accounts, orders, withdrawals, cosigned, tradingKeys, ...rest } = decode<StoredState>(bytes)
  if (version !== SNAPSHOT_VERSION && version !== WITHOUT_TRADING_KEYS) throw new Error(`a vault actor's snapshot of version ${version}; ${SNAPSHOT_VERSION} is known`)
  const orderOf = new Map(orders.map((order) => [order.id, order]))
  const withdrawalOf = new Map(withdrawals.map((withdrawal) => [withdrawal.id, withdrawal]))
  const read = new Map<AccountId, Account>()
  for (const account of accounts) {
    const inFlight = [...named(withdrawalOf, account.inFlight).values()]
    read.set(account.id, { ...account, open: named(orderOf, account.open), named: new Map(), inFlight })
  }
  for (const order of orders) if (order.latest) read.get(order.account)?.named.set(order.clientOrderId, order)
  return {
    ...rest,
    tradingKeys: version === WITHOUT_TRADING_KEYS ? new Map<AccountId, AccountId>() : tradingKeys,
    accounts: read,
    orders: orderOf,
    withdrawals: withdrawalOf,
    cosigned: named(withdrawalOf, cosigned),
  }
}

function named<Item>(items: ReadonlyMap<MessageId, Item>, ids: readonly MessageId[]): Map<MessageId, Item> {
  return new Map(
    ids.map((id) => {
      const item = items.get(id)
      assert(item !== undefined, 'a snapshot holds everything that it names')
      return [id, item]
    }),
  )
}

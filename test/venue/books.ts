import { Address, Contract, scValToNative, TransactionBuilder, Account, rpc } from '@stellar/stellar-sdk'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { formatDecimal, parseDecimal } from '../../src/protocol/decimal.ts'
import type { Client } from '../../src/client/client.ts'
import type { NewOrder } from '../../src/client/messages.ts'
import type { OrderView } from '../../src/protocol/feed.ts'
import type { ContractId } from '../../src/protocol/identity.ts'
import { FeedReader } from '../../scripts/venue/feedReader.ts'
import type { LocalVenue } from '../../scripts/venue/localVenue.ts'
import type { LocalTrader } from '../../scripts/venue/trader.ts'
import { FEES, VENUE_NAME } from '../../scripts/venue/venueFile.ts'
import { VaultGovernance } from '../../src/settlement/governance/vaultGovernance.ts'
import { until } from '../settlement/waiting.ts'
import { persist } from './venueUnderTest.ts'

const DECIMALS = 7
const SETTLED_TIMEOUT_ms = 90_000

interface Holding {
  settled: bigint
  reserved: bigint
}

/**
 * What the traders of one test should have, kept by plain addition beside the venue, and the check that they do: on chain, in the
 * venue's answers, and in what their feeds told them.
 */
export class Books {
  readonly venue: LocalVenue
  readonly #traders: ReadonlyMap<string, LocalTrader>
  readonly #clients = new Map<string, Client>()
  readonly #feeds = new Map<string, FeedReader>()
  readonly #holdings = new Map<string, Map<string, Holding>>()
  /** Quantity traded so far by role: what the feed's fills must add up to. */
  readonly #traded = new Map<string, bigint>()

  /** What the venue has kept so far, by asset. */
  readonly #fees = new Map<string, bigint>()

  private constructor(venue: LocalVenue, traders: ReadonlyMap<string, LocalTrader>) {
    this.venue = venue
    this.#traders = traders
  }

  static async open(venue: LocalVenue, traders: ReadonlyMap<string, LocalTrader>, funds: Readonly<Record<string, number>>): Promise<Books> {
    const books = new Books(venue, traders)
    for (const [role, trader] of traders) {
      books.#clients.set(role, await trader.client())
      books.#feeds.set(role, await FeedReader.open(venue.natsUrls, VENUE_NAME, trader.key, (await venue.natsAccess()).trust))
      books.#holdings.set(role, new Map(Object.entries(funds).map(([code, whole]) => [code, { settled: units(String(whole)), reserved: 0n }])))
      books.#traded.set(role, 0n)
    }
    return books
  }

  trader(role: string): LocalTrader {
    return required(this.#traders, role)
  }

  client(role: string): Client {
    return required(this.#clients, role)
  }

  feed(role: string): FeedReader {
    return required(this.#feeds, role)
  }

  limit(role: string, market: string, side: 'buy' | 'sell', quantity: string, price: string, timeInForce: 'GTC' | 'IOC' | 'FOK' = 'GTC'): Promise<OrderView> {
    return this.place(role, market, { side, type: 'limit', quantity, price, timeInForce })
  }

  /** Signs once and sends until the venue answers; an order that is still on its way to its market (202) is followed until the market has said. */
  async place(role: string, market: string, order: NewOrder): Promise<OrderView> {
    const client = this.client(role)
    const request = await client.signOrder(market, order)
    let placed = await persist(() => client.sendOrder(request))
    await until('the market has the order', async () => {
      if (placed.status !== 'pending') return true
      placed = await persist(() => client.order(placed.id))
      return placed.status !== 'pending'
    })
    return placed
  }

  /** Expects a trade: base to the buyer, quote to the seller, each less the market's fee, which is the same for maker and taker here. */
  traded(buyer: string, seller: string, market: string, quantity: string, price: string): void {
    const [base, quote] = market.split('-') as [string, string]
    const amount = units(quantity)
    const cost = (amount * units(price)) / 10n ** BigInt(DECIMALS)
    for (const role of [buyer, seller]) this.#traded.set(role, required(this.#traded, role) + amount)
    const rate = BigInt(FEES[market]?.maker_ppm ?? 0)
    const fee = (received: bigint): bigint => (received * rate + 999_999n) / 1_000_000n
    this.moved(buyer, base, amount - fee(amount))
    this.moved(buyer, quote, -cost)
    this.moved(seller, quote, cost - fee(cost))
    for (const [code, received] of [[base, amount], [quote, cost]] as const) this.#fees.set(code, (this.#fees.get(code) ?? 0n) + fee(received))
    this.moved(seller, base, -amount)
  }

  /** Expects the settled balance to have changed. */
  moved(role: string, code: string, amount: bigint): void {
    this.#holding(role, code).settled += amount
  }

  /** Expects this much to be reserved, altogether. */
  reserves(role: string, code: string, amount: string): void {
    this.#holding(role, code).reserved = units(amount)
  }

  /** Waits for the chain, then compares every balance of every trader, and the sum with what the contract holds. */
  async check(t: Test): Promise<void> {
    await this.#quiet()
    for (const [role, trader] of this.#traders) {
      const shown = await persist(() => this.client(role).balances())
      for (const [code, { settled, reserved }] of required(this.#holdings, role)) {
        const balance = shown.find(({ asset }) => asset === code)
        t.equal(formatDecimal(await trader.onChain(code), DECIMALS), formatDecimal(settled, DECIMALS), `${role} has its ${code} on chain`)
        t.match(
          balance,
          { settled: formatDecimal(settled, DECIMALS), pending: '0', reserved: formatDecimal(reserved, DECIMALS), available: formatDecimal(settled - reserved, DECIMALS) },
          `${role} has its ${code} in the venue`,
        )
      }
    }
    await this.#checkFeeds(t)
    await this.#checkFees(t)
    await checkHoldings(t, this.venue)
  }

  /** Takes back what rests. */
  async cancelAll(): Promise<void> {
    for (const [role, client] of this.#clients) {
      for (const order of await client.orders({ status: 'open' })) await client.cancelOrder(order.id)
      for (const holding of required(this.#holdings, role).values()) holding.reserved = 0n
    }
  }

  async close(): Promise<void> {
    for (const feed of this.#feeds.values()) await feed.close()
  }

  #holding(role: string, code: string): Holding {
    return required(required(this.#holdings, role), code)
  }

  /** Until chain and venue show what is expected, or for as long as it may take: the comparison afterwards tells what is missing. */
  async #quiet(): Promise<void> {
    for (const end = Date.now() + SETTLED_TIMEOUT_ms; Date.now() < end; await delay(100)) if (await this.#asExpected()) return
  }

  async #asExpected(): Promise<boolean> {
    for (const [role, trader] of this.#traders) {
      const shown = await persist(() => this.client(role).balances())
      for (const [code, { settled, reserved }] of required(this.#holdings, role)) {
        const balance = shown.find(({ asset }) => asset === code)
        if (balance?.settled !== formatDecimal(settled, DECIMALS) || balance.pending !== '0' || balance.reserved !== formatDecimal(reserved, DECIMALS)) return false
        if ((await trader.onChain(code)) !== settled) return false
      }
    }
    return true
  }

  /** Numbered from 1 without a gap, every fill once, and every trade settled once, by a transaction. */
  async #checkFeeds(t: Test): Promise<void> {
    for (const [role, feed] of this.#feeds) {
      const expected = required(this.#traded, role)
      const filled = (): bigint => feed.messages.reduce((sum, message) => (message.type === 'fill' ? sum + units(message.quantity) : sum), 0n)
      const settled = (): string[] => feed.messages.flatMap((message) => (message.type === 'settled' ? message.trades : []))
      const fills = (): string[] => feed.messages.flatMap((message) => (message.type === 'fill' ? [message.trade] : []))
      for (const end = Date.now() + 20_000; Date.now() < end && (filled() < expected || settled().length < fills().length); ) await delay(50)
      t.same(
        feed.messages.map(({ seq }) => seq),
        feed.messages.map((_, i) => i + 1),
        `${role}'s feed is numbered without a gap`,
      )
      t.equal(formatDecimal(filled(), DECIMALS), formatDecimal(expected, DECIMALS), `${role}'s feed tells of every fill`)
      t.equal(new Set(fills()).size, fills().length, `${role}'s feed tells of every fill once`)
      t.same(settled().sort(), fills().sort(), `${role}'s feed tells of the settlement of each trade once`)
    }
  }

  /** The chain has kept what the trades between these traders came to, and the feeds have told of it. */
  async #checkFees(t: Test): Promise<void> {
    const { assets } = this.venue.deployment
    const told = new Map<string, bigint>()
    for (const feed of this.#feeds.values()) for (const message of feed.messages) if (message.type === 'fill') told.set(message.feeAsset, (told.get(message.feeAsset) ?? 0n) + units(message.fee))
    for (const { code, contract } of assets) {
      const expected = formatDecimal(this.#fees.get(code) ?? 0n, DECIMALS)
      t.equal(formatDecimal(told.get(code) ?? 0n, DECIMALS), expected, `the feeds tell of the fees in ${code}`)
      t.equal(formatDecimal(await feesKept(this.venue, contract), DECIMALS), expected, `the vault has kept the fees in ${code}`)
    }
  }
}

/** What the vault has taken of a token's trades, and nobody has collected. */
const feesKept = ({ chain: { server }, deployment: { passphrase, vault } }: LocalVenue, token: ContractId): Promise<bigint> => new VaultGovernance({ server, passphrase }, vault).fees(0, token)

/** Per asset: what all accounts of the vault have, and the venue has kept, is what the token says the vault has. */
async function checkHoldings(t: Test, venue: LocalVenue): Promise<void> {
  const { assets, vault } = venue.deployment
  const everybody = venue.traders
  for (const { code, contract } of assets) {
    let sum = await feesKept(venue, contract)
    for (const trader of everybody) sum += await trader.onChain(code)
    t.equal(sum, await tokenBalance(venue, contract, vault), `the vault holds all the ${code} of its accounts and fees`)
  }
}

const NOBODY = 'GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF'

async function tokenBalance(venue: LocalVenue, token: string, holder: string): Promise<bigint> {
  const transaction = new TransactionBuilder(new Account(NOBODY, '0'), { fee: '100', networkPassphrase: venue.deployment.passphrase })
    .addOperation(new Contract(token).call('balance', new Address(holder).toScVal()))
    .setTimeout(0)
    .build()
  const answer = await venue.chain.server.simulateTransaction(transaction)
  if (rpc.Api.isSimulationError(answer) || answer.result === undefined) throw new Error(`the balance of ${holder} cannot be read`)
  return scValToNative(answer.result.retval) as bigint
}

/** A decimal in smallest units. */
export function units(text: string): bigint {
  const value = parseDecimal(text, DECIMALS)
  if (value === undefined) throw new Error(`${text} has more than ${DECIMALS} digits after the point`)
  return value
}

function required<Key, Value>(map: ReadonlyMap<Key, Value>, key: Key): Value {
  const value = map.get(key)
  if (value === undefined) throw new Error(`there is no ${String(key)}`)
  return value
}

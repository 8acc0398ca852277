import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { NeverSent, OutcomeUnknown, Refused } from '../../src/client/errors.ts'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import { LocalVenue } from '../../scripts/venue/localVenue.ts'
import type { LocalVenueOptions } from '../../scripts/venue/localVenue.ts'
import type { LocalTrader } from '../../scripts/venue/trader.ts'
import { Books } from './books.ts'

const LEDGER_TIME_s = 0.4
const PERSISTENCE_ms = 90_000

const run = promisify(execFile)

/** What each trader of a test begins with in the vault, in whole units. */
export const FUNDS = { XLM: 1_000, USDC: 1_000, EURC: 1_000 } as const
const UNIT = 10_000_000n

/** A whole running venue in a folder of its own, and traders to hand out. */
export class VenueUnderTest {
  readonly venue: LocalVenue
  readonly #folder: string
  readonly #fresh: LocalTrader[] = []

  private constructor(venue: LocalVenue, folder: string) {
    this.venue = venue
    this.#folder = folder
  }

  /** @param traders how many the tests will ask for */
  static async start(traders: number, options: Partial<LocalVenueOptions> = {}): Promise<VenueUnderTest> {
    const folder = options.state ?? mkdtempSync(join(tmpdir(), 'darkpool-venue-'))
    const venue = await LocalVenue.open({ state: folder, ledgerTime_s: LEDGER_TIME_s, settlement: { maxAge_ms: 100, maxAccounts: 150, maxTrades: 1_000 }, ...options })
    const test = new VenueUnderTest(venue, folder)
    try {
      await test.#bringUp(traders)
    } catch (error) {
      // Nobody else knows what runs by now.
      await test.stop()
      throw error
    }
    return test
  }

  async #bringUp(traders: number): Promise<void> {
    const { venue } = this
    await venue.startChain()
    const deposited = Object.fromEntries(Object.entries(FUNDS).map(([code, whole]) => [code, BigInt(whole) * UNIT]))
    const names = Array.from({ length: traders }, (_, i) => `trader${i + 1}`)
    this.#fresh.push(...(await venue.fund(names, { held: { USDC: 1_000n * UNIT }, deposited })))
    await venue.startServers()
    for (const trader of this.#fresh) await trader.caughtUp()
  }

  async stop(): Promise<void> {
    await this.venue.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** What its operator's command answers. @throws with `code` and `stderr` where it fails */
  async darkpool(...args: readonly string[]): Promise<Record<string, unknown>> {
    const { stdout } = await run(process.execPath, ['src/cli/darkpool.ts', ...args, '--state', this.venue.state.path, '--json'])
    return JSON.parse(stdout) as Record<string, unknown>
  }

  /** A trader that no other test touches. */
  trader(): LocalTrader {
    const trader = this.#fresh.pop()
    if (!trader) throw new Error('the test asks for more traders than it started with')
    return trader
  }

  /** Traders that no other test touches, and the books of what they should have. */
  async books(...roles: readonly string[]): Promise<Books> {
    const entries = roles.map((role) => [role, this.trader()] as const)
    return Books.open(this.venue, new Map(entries), FUNDS)
  }
}

/** The code with which the venue refuses. */
export async function refusal(request: Promise<unknown>): Promise<ErrorCode | 'taken'> {
  try {
    await request
    return 'taken'
  } catch (error) {
    if (error instanceof Refused) return error.code
    if (error instanceof OutcomeUnknown && error.cause instanceof Refused) return error.cause.code
    throw error
  }
}

/** Repeats the very same request for as long as the venue is not able to answer it: what a client is told to do. */
export async function persist<Answer>(request: () => Promise<Answer>): Promise<Answer> {
  for (const end = Date.now() + PERSISTENCE_ms; ; await delay(100)) {
    try {
      return await request()
    } catch (error) {
      const passing = error instanceof NeverSent || error instanceof OutcomeUnknown || (error instanceof Refused && error.status === 503)
      if (!passing || Date.now() > end) throw error
    }
  }
}

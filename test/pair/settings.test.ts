import t from 'tap'
import { checkFees } from '../../src/actors/pair/feeCap.ts'
import { driveSettings } from '../../src/actors/pair/settingsDriver.ts'
import { Market } from '../../src/protocol/market.ts'
import type { FeeRates } from '../../src/protocol/market.ts'
import type { PairSetting } from '../../src/protocol/pair.ts'
import { LogLines } from '../runtime/world.ts'
import { BQ, marketOf, smallVenue } from './smallVenue.ts'

const marketWith = (maker_ppm: number, taker_ppm: number): Market => new Market({ ...marketOf(smallVenue(), BQ).rules, maxValue: 1_000_000, fees: { maker_ppm, taker_ppm } })

t.test('a market that charges more than the contract takes does not start', async (t) => {
  const log = new LogLines()
  let asked = 0
  const cap = (ppm: number) => async (): Promise<number> => (asked++, ppm)
  await t.rejects(checkFees(marketWith(100, 501), cap(500), log), { message: 'the market B-Q charges 501 parts per million, and the vault contract lets it take 500: announce a higher cap, or lower the fees' })
  await t.rejects(checkFees(marketWith(501, 0), cap(500), log), /B-Q charges 501/)
  await t.rejects(checkFees(marketWith(1, 0), cap(0), log), /lets it take 0/)
  await t.resolves(checkFees(marketWith(500, 500), cap(500), log))
  t.equal(asked, 4)
  await t.resolves(checkFees(marketWith(0, 0), cap(0), log))
  t.equal(asked, 4, 'one that charges nothing asks nobody')
})

t.test('a chain that cannot be asked keeps no market from starting', async (t) => {
  const log = new LogLines()
  await t.resolves(checkFees(marketWith(1, 1), () => Promise.reject(new Error('nobody there')), log))
  t.match(log.lines, [/the cap of the vault contract could not be asked.*nobody there/])
})

t.test('a market is told its fees where it goes by others', async (t) => {
  const log = new LogLines()
  const told: PairSetting[] = []
  const actor = { submit: async (setting: PairSetting) => void told.push(setting), onDurable: () => undefined }
  const drive = (known: FeeRates, rates: FeeRates): Promise<void> => driveSettings(actor, { tape: null, fees: known }, { tape: null, fees: rates }, log).stop()
  await drive({ maker_ppm: 1, taker_ppm: 2 }, { maker_ppm: 1, taker_ppm: 2 })
  t.same(told, [])
  await drive({ maker_ppm: 1, taker_ppm: 2 }, { maker_ppm: 1, taker_ppm: 3 })
  await drive({ maker_ppm: 1, taker_ppm: 3 }, { maker_ppm: 0, taker_ppm: 0 })
  t.same(told, [{ kind: 'fees', rates: { maker_ppm: 1, taker_ppm: 3 } }, { kind: 'fees', rates: { maker_ppm: 0, taker_ppm: 0 } }])
  driveSettings({ ...actor, submit: () => Promise.reject(new Error('it ends')) }, { tape: null, fees: { maker_ppm: 0, taker_ppm: 0 } }, { tape: null, fees: { maker_ppm: 1, taker_ppm: 0 } }, log)
  await new Promise(setImmediate)
  t.match(log.lines.at(-1), /the fees were not taken.*it ends/)
})

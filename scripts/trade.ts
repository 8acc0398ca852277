// `npm run trade`: alice and bob trade once more at the venue that `npm start` runs.
import { parseArgs } from 'node:util'
import { main } from './setup/fault.ts'
import { Steps } from './setup/steps.ts'
import { balanceTable, demonstrate, readBalances } from './venue/demonstration.ts'
import { joinVenue } from './venue/runningVenue.ts'

await main(async () => {
  const { values } = parseArgs({ options: { state: { type: 'string', default: '.darkpool' } } })
  const steps = new Steps()
  const [alice, bob] = await joinVenue(values.state, ['alice', 'bob'])
  if (!alice || !bob) throw new Error('two traders are needed for a trade')
  const traders = [alice.trader, bob.trader]
  const codes = ['XLM', 'USDC']
  const before = await readBalances(traders, codes)
  const { transaction } = await demonstrate(alice, bob, steps)
  steps.say(`\n  transaction ${transaction}\n\n${balanceTable(before, await readBalances(traders, codes), 7)}`)
  await alice.feed.close()
  await bob.feed.close()
  return 0
})

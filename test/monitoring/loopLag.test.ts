import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { LoopLag } from '../../src/monitoring/loopLag.ts'
import { until } from '../settlement/waiting.ts'

t.test('a thread that is held up says for how long', async (t) => {
  const lag = new LoopLag()
  t.teardown(() => lag.stop())
  t.equal(lag.longest_s, 0, 'nothing was seen yet')
  await until('it looks', async () => {
    // Long enough that a machine with much else to do shows it too.
    for (const end = performance.now() + 500; performance.now() < end; );
    await delay(100)
    return lag.longest_s >= 0.3
  })
})

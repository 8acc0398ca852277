// The process of a load client.
import { once } from 'node:events'
import { drive } from './lane.ts'
import type { Lane } from './lane.ts'
import { openHttp } from './http.ts'
import { openNats } from './nats.ts'
import type { LoadPlan } from './plan.ts'
import { openStreams } from './stream.ts'

const [plan] = (await once(process, 'message')) as [LoadPlan]
const count = plan.bodies.length
const lanes = await open(plan)
process.send?.(await drive(lanes, count, plan.rate_s, plan.over === 'nats' ? eachItsOwn(lanes.length) : inTurn()))
for (const lane of lanes) lane.close()
process.disconnect()

function open(plan: LoadPlan): Promise<Lane[]> {
  switch (plan.over) {
    case 'http':
      return openHttp(plan)
    case 'stream':
      return openStreams(plan)
    case 'nats':
      return openNats(plan)
  }
}

/** Whichever lane is free takes the next. */
function inTurn(): () => number | undefined {
  let next = 0
  return () => (next < count ? next++ : undefined)
}

/** Request n is of lane n, in turn. */
function eachItsOwn(lanes: number): (lane: number) => number | undefined {
  const next = Array.from({ length: lanes }, (_, lane) => lane)
  return (lane) => {
    const n = next[lane]!
    next[lane] = n + lanes
    return n < count ? n : undefined
  }
}

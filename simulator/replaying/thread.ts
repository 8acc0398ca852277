import { parentPort } from 'node:worker_threads'
import { venueOf } from '../../src/protocol/venueMeaning.ts'
import { defects } from '../defects/defects.ts'
import type { FromThread, ReplayedRun, ToThread } from './comparison.ts'
import { Replayer } from './replayer.ts'

// The thread beside a simulation that replays its journals (replayThread.ts).

const port = parentPort
if (port === null) throw new Error('this is a worker thread')
let replayer: Replayer | null = null

function begin({ seed, file, secret, bounds, defect: name }: ReplayedRun): Replayer {
  const defect = defects.find((candidate) => candidate.name === name) ?? null
  if (name !== null && defect === null) throw new Error(`there is no defect ${name}`)
  return new Replayer({ venue: venueOf(file), secret, bounds, defect, seed })
}

port.on('message', (message: ToThread) => {
  if ('run' in message) {
    replayer = begin(message.run)
    return
  }
  if (replayer === null) throw new Error('nothing is replayed yet')
  port.postMessage({ fault: replayer.compare(message.comparison) } satisfies FromThread)
})

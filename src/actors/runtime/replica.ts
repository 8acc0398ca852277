import type { ActorName } from '../../protocol/identity.ts'
import type { Subjects } from '../../protocol/subjects.ts'
import { ActorState } from './actorState.ts'
import type { Clock } from './clock.ts'
import type { Envelope } from './envelope.ts'
import { Feed } from './feed.ts'
import type { FeedStream } from './feed.ts'
import { Links } from './links.ts'
import type { Log } from './log.ts'
import type { Machine } from './machine.ts'
import type { Transport } from './transport.ts'

const silent = (): never => {
  throw new Error('a replica reads a journal and says nothing')
}
const noTransport: Transport = { publish: silent, subscribe: silent, onReconnect: silent, flush: silent }
const noFeed: FeedStream = { store: silent }

/** An actor as its journal tells it, for whoever only reads: it sends, publishes and answers nothing. */
export function replicaOf(name: ActorName, machine: Machine, envelope: Envelope, subjects: Subjects, clock: Clock, log: Log): ActorState {
  return new ActorState({ venue: subjects.venue, name, machine, links: new Links(name, subjects, noTransport, log), feed: new Feed(noFeed, clock, log), envelope })
}

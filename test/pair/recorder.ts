import type { Effects } from '../../src/actors/runtime/machine.ts'
import type { FeedMessage } from '../../src/protocol/feed.ts'
import type { ActorName, Milliseconds } from '../../src/protocol/identity.ts'
import type { Answer, ReplyTo } from '../../src/protocol/packets.ts'

export interface Sent {
  readonly to: ActorName
  readonly message: unknown
}

/** Keeps what a machine causes, to be looked at. Time and backlog are the test's to set. */
export class Recorder implements Effects {
  time: Milliseconds
  digest: Uint8Array = new Uint8Array(32)
  record = 1
  epoch = 1
  sent: Sent[] = []
  answers: { readonly request: number; readonly answer: Answer }[] = []
  feed: FeedMessage[] = []
  readonly backlogs = new Map<ActorName, number>()

  constructor(time: number) {
    this.time = time as Milliseconds
  }

  send(to: ActorName, message: unknown): void {
    this.sent.push({ to, message })
  }
  answer(to: ReplyTo, answer: Answer): void {
    this.answers.push({ request: to.request, answer })
  }
  publish(message: FeedMessage): void {
    this.feed.push(message)
  }
  backlog(to: ActorName): number {
    return this.backlogs.get(to) ?? 0
  }

  /** What came since the last call. */
  take(): { sent: Sent[]; answers: { readonly request: number; readonly answer: Answer }[]; feed: FeedMessage[] } {
    const { sent, answers, feed } = this
    this.sent = []
    this.answers = []
    this.feed = []
    return { sent, answers, feed }
  }
}

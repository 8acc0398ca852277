import { isRetryable } from '../protocol/errors.ts'
import { delay } from './delay.ts'
import { NeverSent, OutcomeUnknown, Refused } from './errors.ts'
import { pause_ms } from './patience.ts'
import { StreamPlaces } from './streamPlaces.ts'
import type { ChannelMessage } from './streamPlaces.ts'
import { platformSocket, streamUrl, Wire } from './wire.ts'
import type { OpenSocket } from './wire.ts'
import type { Channel, StreamMessage } from './views/stream.ts'

export interface StreamOptions {
  readonly channels: readonly Channel[]
  /** For the channels market and tape: these instead of all. */
  readonly markets?: readonly string[]
  /** For the channel tape: by market, begin behind this print of it; otherwise with the next one. */
  readonly tapeAfter?: Readonly<Record<string, number>>
  /** Begin behind this number of the account's feed, as a program does that has kept the last `seq` it has seen; otherwise with snapshots. */
  readonly after?: number
  readonly signal?: AbortSignal
  /** Messages that wait for the reader at most; behind them the connection is given up, and taken up again where it was when they are read. Default: 10,000. */
  readonly buffer?: number
  /** Default: the platform's WebSocket. */
  readonly openSocket?: OpenSocket
}

/** Who reads. */
export interface StreamLogin {
  readonly url: string
  /** @param spent a token that is no longer good */
  token(spent?: string): Promise<string>
}

const BUFFER = 10_000
type Heartbeat = { readonly channels: Readonly<Record<string, { readonly through: number }>> }

/**
 * Follows channels over a WebSocket, over as many connections as it takes: every message once and in order, until the signal or an early return ends it. A gateway that is
 * away only delays it.
 * @throws Refused where asking again would not help
 */
export async function* readStream(login: StreamLogin, options: StreamOptions): AsyncGenerator<StreamMessage> {
  const { channels, after, signal, buffer = BUFFER, openSocket = platformSocket } = options
  const url = streamUrl(login.url)
  const places = new StreamPlaces(channels, after, options.tapeAfter)
  const queue: StreamMessage[] = []
  for (let failures = 0; !signal?.aborted; ) {
    let wake = (): void => undefined
    const deliver = (message: StreamMessage): void => {
      queue.push(message)
      if (queue.length >= buffer) wire.close()
      wake()
    }
    const wire = new Wire(url, openSocket, (sent) => {
      const { type } = sent as { type?: unknown }
      if (type === 'heartbeat') for (const [channel, { through }] of Object.entries((sent as Heartbeat).channels)) places.reach(channel as Channel, through)
      if (type !== 'snapshot' && type !== 'update') return
      const message = places.take(sent as ChannelMessage)
      if (message !== null) deliver(message)
    })
    const stop = (): void => wire.close()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      let asked_ms: number | undefined
      try {
        await begin(wire, login, places, options, deliver)
        failures = 0
      } catch (error) {
        if (signal?.aborted) return
        if (!passing(error)) throw error
        asked_ms = error instanceof NeverSent ? undefined : error.retryAfter_ms
        failures++
        wire.close()
      }
      let ended = false
      void wire.ended.then(() => {
        ended = true
        wake()
      })
      for (;;) {
        const message = queue.shift()
        if (signal?.aborted) return
        if (message !== undefined) yield message
        else if (ended) break
        else await new Promise<void>((resolve) => (wake = resolve))
      }
      await delay(pause_ms(failures + 1, asked_ms), signal)
    } finally {
      signal?.removeEventListener('abort', stop)
      wire.close()
    }
  }
}

/** Logs in, and takes channels up where they are. */
async function begin(wire: Wire, login: StreamLogin, places: StreamPlaces, { markets }: StreamOptions, deliver: (message: StreamMessage) => void): Promise<void> {
  await wire.opened
  if (places.channels.some((channel) => channel !== 'market' && channel !== 'tape')) await prove(wire, login)
  const subscribe = (channels: readonly Channel[], more: object = {}): Promise<void> => {
    if (channels.length === 0) return Promise.resolve()
    const only = markets !== undefined && (channels.includes('market') || channels.includes('tape')) ? { markets } : {}
    return wire.ask('subscribe', { channels, ...only, ...more }, (body) => {
      if (!('after' in more)) places.begin(channels, (body as { seq?: number }).seq ?? 0)
    })
  }
  const { anew, resumed, after } = places.plan()
  try {
    await subscribe(resumed, { after })
  } catch (error) {
    if (!(error instanceof Refused) || (error.code !== 'feed_trimmed' && error.code !== 'resume_ahead')) throw error
    places.lose(resumed)
    deliver({ type: 'lost', channels: resumed, after })
    await subscribe(resumed)
  }
  const taped = anew.filter((channel) => channel === 'tape')
  await subscribe(anew.filter((channel) => channel !== 'tape'))
  try {
    await subscribe(taped, { tapeAfter: places.tapeAfter })
  } catch (error) {
    if (!(error instanceof Refused) || (error.code !== 'feed_trimmed' && error.code !== 'resume_ahead')) throw error
    places.lose(taped)
    deliver({ type: 'lost', channels: taped, after: 0 })
    await subscribe(taped)
  }
}

async function prove(wire: Wire, login: StreamLogin): Promise<void> {
  const token = await login.token()
  try {
    await wire.ask('login', { token })
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== 'token_invalid') throw error
    await wire.ask('login', { token: await login.token(token) })
  }
}

/** Whether another connection may fare better. */
function passing(error: unknown): error is NeverSent | OutcomeUnknown | Refused {
  if (error instanceof Refused) return isRetryable(error.code)
  return error instanceof OutcomeUnknown || (error instanceof NeverSent && error.passing)
}

import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node'
import { decode } from '../../protocol/codec.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { AccountId, ActorName, MarketName } from '../../protocol/identity.ts'
import type { Answer, AnswerPacket } from '../../protocol/packets.ts'
import type { MarketStatus } from '../../protocol/pair.ts'
import { pairActor, vaultActor, vaultOf } from '../../protocol/subjects.ts'
import type { VaultCommand, VaultQuery } from '../../protocol/vault.ts'
import type { Venue } from '../../protocol/venue.ts'
import type { Log } from '../log.ts'
import type { Owners } from '../owners.ts'
import { Lane, sendAgain } from './lane.ts'
import type { Content, SendPacket } from './lane.ts'
import { Waiting } from './waiting.ts'
import type { Answered } from './waiting.ts'

const SWEEP_EVERY_MS = 100
/** How long a market's new owner has to answer, or to tell the vault actors, before those are asked. */
const ASK_AGAIN_AFTER_MS = 1_000
/** A command without an answer may have taken effect; a query had nothing to take. */
const commandLate: Answer = { refused: 'outcome_unknown' }
const queryLate: Answer = { refused: 'account_unavailable' }

/**
 * The gateway's way to the vault actors, over core NATS, and to the pair actors for what a market says of itself. Packets carry a reply subject
 * only so that the server can say at once that nobody listens; answers come, from vault and pair actors alike, to the gateway's own subject.
 *
 * While an actor is between owners, what nobody has taken waits for the next one, no longer than any request waits for its answer. With the next one's
 * first word, what was out at the one before is sent once more too: a command is applied once however often it arrives, since its id is its digest.
 * Orders that a market's new owner does not answer are sent once more to their vault actors, which know by then or soon what became of them.
 */
export class Vaults {
  readonly #connection: NatsConnection
  readonly #partitions: number
  readonly #log: Log
  readonly #owners: Owners
  readonly #waiting: Waiting<Content>
  readonly #commands = new Map<ActorName, Lane>()
  readonly #queries = new Map<ActorName, Lane>()
  readonly #markets = new Map<MarketName, Lane>()
  readonly #subscriptions: Subscription[]
  readonly #sweeper: NodeJS.Timeout
  readonly #timers = new Set<NodeJS.Timeout>()
  #connected = true

  /** @param gateway this process's name, never used before: an answer to an earlier one must not meet a number of this one */
  constructor(connection: NatsConnection, venue: Venue, owners: Owners, gateway: string, timeout_ms: number, log: Log) {
    this.#connection = connection
    this.#partitions = venue.file.vaultPartitions
    this.#log = log
    this.#owners = owners
    this.#waiting = new Waiting(timeout_ms)
    const answers = venue.subjects.answers(gateway)
    const senders = new Map<ActorName, SendPacket>()
    const lane = (actor: ActorName, late: Answer): Lane => {
      const subject = venue.subjects.clients(actor)
      const send = (packet: Uint8Array, first: number, count: number): void => connection.publish(subject, packet, { reply: `${answers}.none.${first}.${count}` })
      senders.set(actor, send)
      return new Lane(gateway, actor, this.#waiting, late, send)
    }
    for (let partition = 0; partition < this.#partitions; partition++) {
      const actor = vaultActor(partition)
      this.#commands.set(actor, lane(actor, commandLate))
      this.#queries.set(actor, lane(actor, queryLate))
    }
    for (const market of venue.markets.keys()) this.#markets.set(market, lane(pairActor(market), queryLate))
    const markets = new Map([...venue.markets.keys()].map((market) => [pairActor(market), market]))
    owners.onRunning((actor, newOwner) => {
      const send = senders.get(actor)
      if (send !== undefined) sendAgain(gateway, this.#waiting.takeFor(actor, newOwner), this.#waiting, send)
      const market = markets.get(actor)
      if (market === undefined || !newOwner) return
      // A market's last owner may have taken orders and answered nobody. Its new one answers what it takes anew, and tells the vault actors of the
      // rest; what has no answer by then is asked for again at those.
      const { last } = this.#waiting
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        for (const vault of this.#commands.keys()) sendAgain(gateway, this.#waiting.takeOut(vault, last, (content) => isOrderFor(market, content)), this.#waiting, senders.get(vault)!)
      }, ASK_AGAIN_AFTER_MS)
      this.#timers.add(timer)
    })
    this.#subscriptions = [
      connection.subscribe(answers, { callback: (failure, message) => this.#answered(failure, message) }),
      connection.subscribe(`${answers}.none.*.*`, { callback: (failure, message) => this.#undelivered(failure, message) }),
    ]
    this.#sweeper = setInterval(() => this.#waiting.sweep(Date.now()), SWEEP_EVERY_MS)
    void this.#follow()
  }

  get connected(): boolean {
    return this.#connected
  }

  /** Whether the chain is known not to continue what the vault actors remember. */
  get diverged(): boolean {
    return this.#owners.diverged
  }

  /** Inputs that waited for the account's vault actor when it last spoke. */
  backlog(account: AccountId): number {
    return this.#owners.backlog(vaultOf(account, this.#partitions))
  }

  /** @throws Refusal account_unavailable where there is no connection to send on */
  command(account: AccountId, command: VaultCommand, answered: Answered): void {
    this.#lane(this.#commands, account).push({ command }, answered)
  }

  /** What the vault actor answers. @throws Refusal account_unavailable, and what the vault refuses with */
  query<Value>(query: VaultQuery): Promise<Value> {
    const lane = this.#lane(this.#queries, query.account)
    return new Promise((resolve, reject) => {
      lane.push({ query }, (answer) => {
        if ('ok' in answer) resolve(answer.ok as Value)
        else reject(new Refusal(answer.refused, answer.detail))
      })
    })
  }

  /** @throws Refusal market_unavailable */
  queryMarket(market: MarketName): Promise<MarketStatus> {
    const lane = this.#markets.get(market)
    if (lane === undefined) throw new Error('the venue does not have the market')
    return new Promise((resolve, reject) => {
      if (!this.#connected) return reject(new Refusal('market_unavailable'))
      lane.push({ query: { kind: 'market' } }, (answer) => {
        if ('ok' in answer) resolve(answer.ok as MarketStatus)
        // Whatever kept the question from being answered: nobody there, no connection, too late.
        else reject(new Refusal('market_unavailable'))
      })
    })
  }

  close(): void {
    clearInterval(this.#sweeper)
    for (const timer of this.#timers) clearTimeout(timer)
    for (const subscription of this.#subscriptions) subscription.unsubscribe()
  }

  #lane(lanes: ReadonlyMap<ActorName, Lane>, account: AccountId): Lane {
    // The client library would keep what is published without a connection and send it later, long after the caller was told otherwise.
    if (!this.#connected) throw new Refusal('account_unavailable')
    const lane = lanes.get(vaultOf(account, this.#partitions))
    if (lane === undefined) throw new Error('an account belongs to a partition that the venue does not have')
    return lane
  }

  #answered(failure: Error | null, message: Msg): void {
    if (failure !== null) return this.#log.error({ at: 'vaults#answered', error: failure.name }, 'the subscription to answers failed')
    let packet: AnswerPacket
    try {
      packet = decode<AnswerPacket>(message.data)
    } catch (error) {
      return this.#log.error({ at: 'vaults#answered', bytes: message.data.length, error: (error as Error).name }, 'an answer packet could not be read')
    }
    for (const { request, answer } of packet.answers) {
      // An actor that drains, or has not begun, takes nothing: its next owner will.
      if ('refused' in answer && answer.refused === 'venue_not_ready' && this.#waiting.sentTo(request) === packet.from) this.#waiting.park(request)
      else this.#waiting.settle(request, answer, packet.from)
    }
  }

  #undelivered(failure: Error | null, message: Msg): void {
    if (failure !== null || message.headers?.code !== 503) return
    const tokens = message.subject.split('.')
    const count = Number(tokens.at(-1))
    const first = Number(tokens.at(-2))
    for (let request = first; request < first + count; request++) {
      const actor = this.#waiting.sentTo(request)
      if (actor !== undefined && this.#owners.expected(actor, Date.now())) this.#waiting.park(request)
      else this.#waiting.giveUp(request)
    }
  }

  async #follow(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'disconnect' || status.type === 'close') this.#connected = false
      else if (status.type === 'reconnect') this.#connected = true
      else continue
      this.#log.info({ at: 'vaults#follow', connected: this.#connected }, 'the connection to NATS changed')
    }
    this.#connected = false
  }
}

const isOrderFor = (market: MarketName, content: Content): boolean => 'command' in content && content.command.kind === 'place' && content.command.market === market

import { setTimeout as delay } from 'node:timers/promises'
import { DstackClient } from '@phala/dstack-sdk'
import type { InfoResponse, TcbInfoV05x } from '@phala/dstack-sdk'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { Keys } from './keys.ts'

/** Where dstack mounts its guest agent. Always named: asked for none, the library takes one from an environment variable, which the operator of a machine could set. */
export const AGENT_SOCKET = '/var/run/dstack.sock'

const KEY_BYTES = 32
export const REPORT_DATA_BYTES = 64
/** Why a key is asked for: part of what the agent signs about it. */
const PURPOSE = 'darkpool'
const PAUSE_FIRST_MS = 100
const PAUSE_LONGEST_MS = 2_000

/** Nobody answers at the agent's socket, or not in time, or not to the end. It may later. */
export class AgentAway extends Error {
  constructor(socket: string, cause: unknown) {
    super(`the guest agent at ${socket} does not answer: ${(cause as Error).message}`, { cause })
    this.name = 'AgentAway'
  }
}

/** The agent answered, and not with what was asked for. Asking again does not help. */
export class AgentRefused extends Error {
  constructor(what: string, cause?: unknown) {
    super(`the guest agent gives no ${what}${cause instanceof Error ? `: ${cause.message}` : ''}`, { cause })
    this.name = 'AgentRefused'
  }
}

const hex = (bytes?: number) => Type.String({ pattern: bytes === undefined ? '^([0-9a-f]{2})+$' : `^[0-9a-f]{${2 * bytes}}$` })
const QuoteAnswer = Type.Object({ quote: hex(), event_log: Type.String(), vm_config: Type.Optional(Type.String()) })
const InfoAnswer = Type.Object({
  app_id: hex(20),
  instance_id: Type.String(),
  compose_hash: hex(32),
  vm_config: Type.Optional(Type.String()),
  tcb_info: Type.Object({ mrtd: hex(48), rtmr0: hex(48), rtmr1: hex(48), rtmr2: hex(48), rtmr3: hex(48), app_compose: Type.String(), os_image_hash: Type.Optional(Type.String()) }),
})

export interface AgentQuote {
  readonly tdxQuote: Uint8Array
  /** JSON, as the agent gives it. */
  readonly eventLog: string
  readonly vmConfig: string
}

export interface AgentInfo {
  /** Hex. */
  readonly appId: string
  readonly instanceId: string
  /** The very text whose sha256 the compose hash is. */
  readonly appCompose: string
  readonly composeHash: string
  readonly osImageHash: string | null
  readonly measurements: { readonly mrtd: string; readonly rtmr0: string; readonly rtmr1: string; readonly rtmr2: string; readonly rtmr3: string }
}

export interface Patience {
  /** For one answer. */
  readonly answer_ms: number
  /** How long an agent that is away is asked again: a VM starts its parts side by side. */
  readonly retry_ms: number
}

const patience: Patience = { answer_ms: 10_000, retry_ms: 30_000 }

/** dstack's guest agent on its unix socket. Whoever reaches the socket gets every key of the app: one process does. */
export class GuestAgent implements Keys {
  readonly #socket: string
  readonly #patience: Patience

  constructor(socket: string = AGENT_SOCKET, wait: Partial<Patience> = {}) {
    this.#socket = socket
    this.#patience = { ...patience, ...wait }
  }

  /** The same for a path wherever the app runs. An ed25519 key is its 32-byte seed. @throws AgentAway, AgentRefused */
  async secret(path: string): Promise<Uint8Array> {
    const { key } = await this.#ask('key', (client) => client.getKey(path, PURPOSE, 'ed25519'))
    if (key.length !== KEY_BYTES || key.every((byte) => byte === 0)) throw new AgentRefused('key', new Error(`${key.length} bytes came`))
    return key
  }

  /** @throws AgentAway, AgentRefused */
  async quote(reportData: Uint8Array): Promise<AgentQuote> {
    if (reportData.length !== REPORT_DATA_BYTES) throw new Error(`report data has ${REPORT_DATA_BYTES} bytes, not ${reportData.length}`)
    const answer: unknown = await this.#ask('quote', (client) => client.getQuote(reportData))
    if (!Value.Check(QuoteAnswer, answer)) throw new AgentRefused('quote', new Error('the answer is not of the shape that is known'))
    return { tdxQuote: Uint8Array.from(Buffer.from(answer.quote, 'hex')), eventLog: answer.event_log, vmConfig: answer.vm_config ?? '' }
  }

  /** @throws AgentAway, AgentRefused */
  async info(): Promise<AgentInfo> {
    const answer: InfoResponse<TcbInfoV05x> = await this.#ask('information', (client) => client.info())
    if (!Value.Check(InfoAnswer, answer)) throw new AgentRefused('information', new Error('the answer is not of the shape that is known'))
    const { app_id: appId, instance_id: instanceId, compose_hash: composeHash } = answer
    const { mrtd, rtmr0, rtmr1, rtmr2, rtmr3, app_compose: appCompose, os_image_hash: osImageHash } = answer.tcb_info
    return { appId, instanceId, composeHash, appCompose, osImageHash: osImageHash ?? null, measurements: { mrtd, rtmr0, rtmr1, rtmr2, rtmr3 } }
  }

  async #ask<Answer>(what: string, call: (client: DstackClient) => Promise<Answer>): Promise<Answer> {
    const { answer_ms, retry_ms } = this.#patience
    const until = performance.now() + retry_ms
    for (let pause_ms = PAUSE_FIRST_MS; ; pause_ms = Math.min(2 * pause_ms, PAUSE_LONGEST_MS)) {
      try {
        return await within(answer_ms, () => call(new DstackClient(this.#socket)))
      } catch (error) {
        if (!isAway(error)) throw new AgentRefused(what, error instanceof TypeError ? undefined : error)
        if (performance.now() + pause_ms > until) throw new AgentAway(this.#socket, error)
      }
      await delay(pause_ms)
    }
  }
}

/** As the library says it. It asks for the agent's version before a key, and calls an agent that is away one that is too old. An error that the agent answers with is a TypeError where a key was asked for. */
const awayTexts = /^(request timed out|request aborted|failed to parse response|Unix socket file .* does not exist|algorithm .* is not supported|no answer within)/

function isAway(error: unknown): boolean {
  return error instanceof Error && ('syscall' in error || awayTexts.test(error.message))
}

async function within<Value>(limit_ms: number, call: () => Promise<Value>): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>()
  const late = setTimeout(() => reject(new Error(`no answer within ${limit_ms} ms`)), limit_ms)
  try {
    return await Promise.race([call(), promise])
  } finally {
    clearTimeout(late)
  }
}

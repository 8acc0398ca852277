import { connect } from 'node:net'
import { once as occurs } from 'node:events'
import { KeyLink } from '../../src/enclave/holder/keyLink.ts'
import { Evidence } from '../../src/gateway/evidence.ts'
import { History } from '../../src/gateway/history/history.ts'
import type { SignedRequest } from '../../src/client/messages.ts'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { AccountId, Seconds } from '../../src/protocol/identity.ts'
import { Refusal } from '../../src/protocol/errors.ts'
import { canonicalJson } from '../../src/protocol/messages/canonical.ts'
import type { SignedMembers } from '../../src/protocol/messages/canonical.ts'
import type { MarketStatus } from '../../src/protocol/pair.ts'
import { settlementActor } from '../../src/protocol/subjects.ts'
import { until } from '../settlement/waiting.ts'
import type { Called } from './call.ts'
import { marketName } from './fakeVault.ts'
import type { Script } from './fakeVault.ts'
import type { Operation } from './recorder.ts'
import type { Stage } from './stage.ts'
import { contractOf, openStage, trader } from './stage.ts'

// How each code is brought about: at the gateway where it is the gateway that refuses, and otherwise by the scripted keeper of the account.

export interface Good {
  /** Where the route takes a body. */
  readonly body?: () => Promise<object>
  readonly query?: string
  /** What stands for `{id}`, where that is no order and no withdrawal. */
  readonly id?: string
  /** The account whose feed it reads. */
  readonly history?: string
  /** By good status; null where the gateway needs nobody for it. */
  readonly scripts: Readonly<Record<string, Script | null>>
}

export interface Change {
  readonly body?: unknown
  readonly url?: string
  readonly path?: string
  readonly headers?: Record<string, string>
}

export interface Scene {
  readonly stage: Stage
  readonly elsewhere: Elsewhere
  readonly operation: Operation
  readonly good: Good
  /** Sends the good request, but for what is given. */
  readonly send: (change?: Change) => Promise<Called>
}

type Provocation = (scene: Scene) => Promise<Called>
const alice = trader('alice')
const nowhere = 'AAA-BBB'
/** So little that a second request is too much, however slow the machine. */
const once = { quota: 1, window_s: 86_400 }

/** The good message with other members, signed again. */
const withMembers = (change: Record<string, string> | ((message: SignedMembers) => Record<string, string>)): Provocation => async ({ good, send }) => {
  const { message } = (await good.body!()) as SignedRequest
  const changed = { ...message, ...(typeof change === 'function' ? change(message) : change) }
  return send({ body: { message: changed, signature: alice.signMessage(canonicalJson(changed)) } })
}

/** What the keeper of the account, or of the market, has to decide. */
const said = (code: ErrorCode): Provocation => ({ stage, send }) => {
  stage.vault.script = () => ({ answer: { refused: code } })
  return send()
}

/** What no HTTP program would send: the parser refuses it before there is a route. */
async function raw({ stage, operation }: Scene, header: string): Promise<Called> {
  const { hostname, port } = new URL(stage.url)
  const socket = connect(Number(port), hostname)
  let heard = ''
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
  socket.write(`${operation.method} ${operation.path} HTTP/1.1\r\nhost: x\r\n${header}\r\n\r\n`)
  await occurs(socket, 'close')
  const [head, body] = heard.split('\r\n\r\n')
  return { status: Number(head!.split(' ')[1]), type: /content-type: (\S+)/.exec(head!)![1]!, headers: new Headers(), json: JSON.parse(body!) as Record<string, unknown> }
}

/** Gateways of their own that one thing has happened to, which stays so: one for every route's sake. */
export class Elsewhere {
  readonly #opened = new Map<string, Promise<Stage>>()

  /** @param ruin what happens to it, once */
  at(name: string, ruin: (stage: Stage) => Promise<unknown> = () => Promise.resolve(), change?: Parameters<typeof openStage>[1]): Promise<Stage> {
    let opened = this.#opened.get(name)
    if (opened === undefined) {
      opened = openStage({}, change).then(async (stage) => {
        await ruin(stage)
        return stage
      })
      this.#opened.set(name, opened)
    }
    return opened
  }

  async close(): Promise<void> {
    for (const opened of this.#opened.values()) await (await opened).close()
  }
}

/** As much work as the gateway takes. */
async function full({ stage: { gateway }, good, send }: Scene): Promise<Called> {
  // A login's own body takes a request to make.
  const body = await good.body?.()
  let taken = 0
  try {
    for (;; taken++) gateway.admission.enter(true)
  } catch (error) {
    if (!(error instanceof Refusal && error.code === 'venue_overloaded')) throw error
  }
  try {
    return await send({ body })
  } finally {
    for (; taken > 0; taken--) gateway.admission.leave()
  }
}

/** Pages whose reading fails as only a mistake of the venue's own does, what is stored and is no message is passed over; and a thread that dies. */
function mistaken({ gateway }: Stage): Promise<void> {
  const fails = (): Promise<never> => Promise.reject(new Error('a place that cannot be'))
  for (const pages of [gateway.feeds, gateway.prints]) Object.assign(pages, { newest: fails, after: fails, before: fails })
  Object.assign(gateway.signatures, { run: () => Promise.reject(new Error('a thread died')) })
  return Promise.resolve()
}

/** The keeper breaks its word. */
async function broken({ stage, elsewhere, operation, good, send }: Scene): Promise<Called> {
  if (good.history !== undefined || operation.path.endsWith('/tape') || operation.path === '/auth') return send({ url: (await elsewhere.at('mistaken', mistaken)).url })
  stage.vault.script = () => ({ answer: { ok: undefined } })
  stage.pair.status = {} as MarketStatus
  return send()
}

/** Nobody holds keys there. */
async function unvouched({ stage: { gateway }, send }: Scene): Promise<Called> {
  const { evidence } = gateway
  Object.assign(gateway, { evidence: new Evidence(new KeyLink('/nobody/keys.sock', 0), new Uint8Array([1]), gateway.log) })
  try {
    return await send()
  } finally {
    Object.assign(gateway, { evidence })
  }
}

const provocations: Partial<Record<ErrorCode, Provocation>> = {
  request_malformed: (scene) => (scene.good.body === undefined ? raw(scene, 'no header') : scene.send({ body: '{"half":' })),
  request_too_large: (scene) => (scene.good.body === undefined ? raw(scene, `x-filler: ${'y'.repeat(40_000)}`) : scene.send({ body: `"${'x'.repeat(1_000_000)}"` })),
  media_type_unsupported: ({ send }) => send({ body: 'x', headers: { 'content-type': 'text/plain' } }),
  internal_error: broken,
  upgrade_required: ({ send }) => send(),
  token_missing: ({ send }) => send({ headers: {} }),
  token_invalid: ({ send }) => send({ headers: { authorization: 'Bearer a.b.c' } }),
  venue_not_ready: async ({ elsewhere, send }) => send({ url: (await elsewhere.at('draining', ({ gateway }) => gateway.admission.drain())).url }),
  // It takes one request a day, whatever the route.
  rate_exceeded: async ({ elsewhere, send }) => {
    const { url } = await elsewhere.at('spent', undefined, (file) => ({ ...file, gateway: { ...file.gateway, rates: { requests: once, addressCancels: once, logins: once } } }))
    await send({ url })
    return send({ url })
  },
  venue_overloaded: full,
  message_malformed: withMembers({ nonce: '' }),
  action_unsupported: withMembers(({ action }) => ({ action: action === 'revoke' ? 'withdraw' : 'revoke' })),
  signature_invalid: async ({ good, send }) => send({ body: { ...(await good.body!()), signature: Buffer.alloc(64).toString('base64') } }),
  network_mismatch: withMembers({ network: 'another network' }),
  vault_mismatch: withMembers({ vault: contractOf('another vault') }),
  asset_mismatch: withMembers({ base: contractOf('another asset') }),
  asset_unknown: withMembers({ asset: contractOf('another asset') }),
  message_expired: withMembers({ expires: '1' }),
  expiry_too_far: withMembers({ expires: '99999999999' }),
  order_mismatch: ({ operation, send }) => send({ path: operation.path.replace('{id}', 'cd'.repeat(32)).replace('{clientOrderId}', 'another') }),
  key_mismatch: ({ operation, send }) => send({ path: operation.path.replace('{key}', alice.address) }),
  outcome_unknown: ({ stage, send }) => {
    stage.vault.script = () => null
    return send()
  },
  market_unknown: async (scene) => {
    const { good, operation, send } = scene
    if (good.body !== undefined) return withMembers({ market: nowhere })(scene)
    return send({ path: operation.path.includes('{pair}') ? operation.path.replace('{pair}', nowhere) : `${operation.path}?market=${nowhere}` })
  },
  market_unavailable: (scene) => {
    scene.stage.pair.status = null
    return said('market_unavailable')(scene)
  },
  account_unavailable: (scene) => {
    const { good, stage, send } = scene
    if (good.history === undefined) return said('account_unavailable')(scene)
    // Of a history only a delegated key's right to it is asked of the account's keeper.
    stage.vault.script = () => ({ answer: { refused: 'account_unavailable' } })
    const token = stage.app.issueToken(good.history as AccountId, 'challenge', { key: trader('stranger').address as AccountId, until: 4_000_000_000 as Seconds })
    return send({ headers: { authorization: `Bearer ${token}` } })
  },
  chain_diverged: async ({ stage, send }) => {
    const settlement = [settlementActor(0)]
    await stage.vault.say(settlement, 'running', 1, [{ kind: 'chain_diverged' }])
    await until('the gateway has heard', () => stage.gateway.owners.diverged)
    try {
      return await send()
    } finally {
      await stage.vault.say(settlement)
      await until('the gateway has heard', () => !stage.gateway.owners.diverged)
    }
  },
  // Nobody has made its stream there.
  history_unavailable: async ({ elsewhere, operation: { path }, send }) =>
    send({ url: (await elsewhere.at('bare')).url, path: path.replace('{id}', 'XLM-USDC:1').replace('{pair}', marketName) + (path === '/api/v1/orders' ? '?status=closed' : '') }),
  tape_off: ({ operation, send }) => send({ path: operation.path.replace('{pair}', 'EURC-USDC') }),
  trade_unknown: ({ operation, send }) => send({ path: operation.path.replace('{id}', 'XLM-USDC:999') }),
  trade_not_settled: ({ operation, send }) => send({ path: operation.path.replace('{id}', 'XLM-USDC:2') }),
  receipt_absent: ({ operation, send }) => send({ path: operation.path.replace('{id}', 'EURC-USDC:1') }),
  history_too_long: async ({ stage: { gateway }, send }) => {
    const { history } = gateway
    Object.assign(gateway, { history: new History(gateway.feeds, gateway.admission, gateway.rates.policies.history, 0) })
    try {
      return await send()
    } finally {
      Object.assign(gateway, { history })
    }
  },
  evidence_absent: async ({ elsewhere, send }) => send({ url: (await elsewhere.at('bare')).url }),
  evidence_unavailable: unvouched,
  challenge_invalid: ({ send }) => send({ body: { transaction: 'AAAA' } }),
}

export function provoke(code: ErrorCode, scene: Scene): Promise<Called> {
  return (provocations[code] ?? said(code))(scene)
}

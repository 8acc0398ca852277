import { Contract, FeeBumpTransaction, nativeToScVal, rpc, scValToNative, SorobanDataBuilder, xdr } from '@stellar/stellar-sdk'
import type { Transaction } from '@stellar/stellar-sdk'
import type { AccountId, ContractId } from '../../src/protocol/identity.ts'
import type { StellarRpc } from '../../src/settlement/stellarRpc.ts'
import type { Circumstances } from '../circumstances.ts'
import { never } from '../host.ts'
import type { Host } from '../host.ts'
import type { Random } from '../random.ts'
import { endOf, FIRST_LEDGER } from './chain.ts'
import { lying } from './liar.ts'
import type { BatchTransaction, Chain, ChainEvent } from './chain.ts'
import type { SimulatedRpc } from './simulatedRpc.ts'
import type { OnChainBatch, OnChainChannel } from './vaultBooks.ts'

const WAY_us = { least: 1_000, most: 20_000 }
const SLOW_us = { least: 500_000, most: 15_000_000 }
const LAG_LEDGERS = 2
const ENOUGH_stroops = 10n ** 12n
const ALL_EVENTS = 100

type GetEvents = Parameters<StellarRpc['getEvents']>[0]

/** A Stellar RPC server as one host reaches it: it can be down, answer late or not at all, or be behind. */
export class RpcServer {
  readonly #chain: Chain
  readonly #contract: ContractId
  readonly #circumstances: Circumstances
  readonly #random: Random

  constructor(chain: Chain, contract: ContractId, circumstances: Circumstances) {
    this.#chain = chain
    this.#contract = contract
    this.#circumstances = circumstances
    this.#random = circumstances.random.fork('rpc')
  }

  /** The last of several, which lies now and then. */
  liar(host: Host): SimulatedRpc {
    const { faults } = this.#circumstances
    return lying(this.reachedBy(host), () => this.#random.chance(this.#circumstances.plan.lying) && (faults.add('RPC lies'), true))
  }

  /** The calls that settlement and watcher make. What they do not read of an answer is not in it. */
  reachedBy(host: Host): SimulatedRpc {
    const call = <Answer>(what: string, serve: (asOf: number) => unknown): Promise<Answer> => this.#call(host, what, serve) as Promise<Answer>
    return {
      getAccountEntry: () => call('getAccountEntry', () => ({ seqNum: this.#chain.engineSequence, balance: ENOUGH_stroops })),
      getFeeStats: () => call('getFeeStats', () => ({ sorobanInclusionFee: { p80: '100' } })),
      getTransaction: (hash) => call('getTransaction', (asOf) => this.#transaction(hash, asOf)),
      getLedgerEntries: (...keys) => call('getLedgerEntries', (asOf) => this.#entries(keys, asOf)),
      getEvents: (request) => call('getEvents', (asOf) => this.#events(request, asOf)),
      sendTransaction: (transaction) => call('sendTransaction', () => this.#send(transaction)),
      simulateTransaction: (transaction) => call('simulateTransaction', (asOf) => this.#simulate(transaction, asOf)),
    }
  }

  #call(host: Host, what: string, serve: (asOf: number) => unknown): Promise<unknown> {
    if (!host.reach()) return never()
    const { scheduler, plan, faults } = this.#circumstances
    const random = this.#random
    const hit = (chance: number, fault: string): boolean => random.chance(chance) && (faults.add(fault), true)
    return new Promise((resolve, reject) => {
      const answer = (delay_us: number, settle: () => void): void => void host.after(delay_us, `${what}: answer`, settle)
      const down = (): void => reject(new Error('the RPC cannot be reached'))
      const slow_us = hit(plan.rpc.slow, 'RPC slow') ? random.between(SLOW_us.least, SLOW_us.most) : 0
      if (!host.connected || hit(plan.rpc.failedBefore, 'RPC call lost')) return answer(slow_us + WAY_us.most, down)
      // Slow on the way there or on the way back.
      const there_us = random.between(WAY_us.least, WAY_us.most) + (random.chance(0.5) ? slow_us : 0)
      scheduler.after(there_us, what, host.name, () => {
        const lag = hit(plan.rpc.lagging, 'RPC behind') ? random.between(1, LAG_LEDGERS) : 0
        const back_us = random.between(WAY_us.least, WAY_us.most) + (slow_us > there_us ? slow_us : 0)
        const failed = hit(plan.rpc.failedAfter, 'RPC answer lost')
        try {
          const value = serve(Math.max(FIRST_LEDGER, this.#chain.latest - lag))
          answer(back_us, failed ? down : () => resolve(value))
        } catch (error) {
          // Also what is no Error: the client throws a JSON-RPC error as it came.
          answer(back_us, () => resolve(failure(error)))
        }
      })
    })
  }

  #head(asOf: number): object {
    return { latestLedger: asOf, latestLedgerCloseTime: String(this.#chain.closed(asOf).closeTime_s), oldestLedger: FIRST_LEDGER, oldestLedgerCloseTime: '1' }
  }

  #transaction(hash: string, asOf: number): object {
    const outcome = this.#chain.outcome(hash, asOf)
    if (outcome === undefined) return { status: rpc.Api.GetTransactionStatus.NOT_FOUND, ...this.#head(asOf) }
    const status = outcome.succeeded ? rpc.Api.GetTransactionStatus.SUCCESS : rpc.Api.GetTransactionStatus.FAILED
    return { status, ledger: outcome.ledger, createdAt: this.#chain.closed(outcome.ledger).closeTime_s, resultXdr: { result: { type: outcome.succeeded ? 'txSuccess' : 'txFailed' } }, ...this.#head(asOf) }
  }

  #send(transaction: Transaction | FeeBumpTransaction): object {
    const answer = this.#chain.submit(readBatchTransaction(transaction))
    if (answer === 'PENDING' || answer === 'DUPLICATE') return { status: answer }
    return { status: 'ERROR', errorResult: { result: { type: answer } } }
  }

  #simulate(transaction: Transaction | FeeBumpTransaction, asOf: number): object {
    const { name, args } = readCall(transaction)
    const { books } = this.#chain
    const refused = (number: number): object => ({ error: `HostError: Error(Contract, #${number})`, latestLedger: asOf, events: [], _parsed: true })
    const value = (retval: xdr.ScVal): object => ({
      latestLedger: asOf,
      events: [],
      _parsed: true,
      transactionData: new SorobanDataBuilder(),
      minResourceFee: '1000',
      result: { auth: [], retval },
    })
    switch (name) {
      case 'get_channel':
        return value(nativeToScVal(this.#chain.closed(asOf).channel))
      case 'settle_batch': {
        const { channel, closeTime_s } = this.#chain.closed(asOf)
        const fault = books.batchFault(args[0] as OnChainBatch, channel, closeTime_s)
        return fault === null ? value(xdr.ScVal.scvVoid()) : refused(fault)
      }
      case 'withdraw': {
        const fault = books.withdrawFault(args[0] as AccountId, args[1] as ContractId, args[2] as bigint)
        return fault === null ? value(xdr.ScVal.scvVoid()) : refused(fault)
      }
      default:
        throw new Error(`nobody here calls ${name}`)
    }
  }

  /** The vault's entries of balances and channels, as a ledger had them. */
  #entries(keys: readonly xdr.LedgerKey[], asOf: number): object {
    const { channel, page } = this.#chain.closed(asOf)
    const entries = keys.flatMap((asked) => {
      if (asked.type !== 'contractData') throw new Error('nobody here reads another entry than a contract\'s')
      const { contract, key, durability } = asked.contractData
      const val = key.type === 'scvU64' ? pageOf(key.u64, page) : channelOf(key, channel)
      if (val === null) return []
      return [{ key: asked, val: xdr.LedgerEntryData.contractData(new xdr.ContractDataEntry({ ext: xdr.ExtensionPoint.v0(), contract, key, durability, val })) }]
    })
    return { entries, latestLedger: asOf }
  }

  #events(request: GetEvents, asOf: number): object {
    const limit = request.limit ?? ALL_EVENTS
    const after = 'cursor' in request && request.cursor !== undefined ? request.cursor : null
    const start = after === null ? (request.startLedger ?? 0) : Number(BigInt(after.slice(0, 19)) >> 32n)
    if (start < FIRST_LEDGER || start > asOf) throw rpcError(`startLedger must be within the ledger range: ${FIRST_LEDGER} - ${asOf}`)
    const found: ChainEvent[] = []
    for (const event of this.#chain.events) {
      if (event.ledger < start || event.ledger > asOf || (after !== null && event.cursor <= after) || !matches(event, request.filters)) continue
      found.push(event)
      if (found.length === limit) break
    }
    const last = found.at(-1)
    const end = endOf(asOf)
    const cursor = last !== undefined && found.length === limit ? last.cursor : after !== null && after > end ? after : end
    const contractId = new Contract(this.#contract)
    const events = found.map(({ ledger, cursor: id, transaction, topics, value }) => ({
      type: 'contract',
      id,
      ledger,
      txHash: transaction,
      topic: topics,
      value,
      contractId,
      inSuccessfulContractCall: true,
    }))
    return { events, cursor, ...this.#head(asOf) }
  }
}

/** The venue's assets are of one group, and its accounts of one page. */
const pageOf = (number: bigint, page: Uint8Array | null): xdr.ScVal | null => (number === 0n && page !== null ? xdr.ScVal.scvBytes(page) : null)

function channelOf(key: xdr.ScVal, channel: OnChainChannel): xdr.ScVal | null {
  const [name, number] = scValToNative(key) as [string, number]
  if (name !== 'Channel') throw new Error(`nobody here reads ${name}`)
  // The contract writes a channel with its first batch.
  return number === 0 && channel.sequence > 0n ? nativeToScVal(channel) : null
}

/** A rejection with whatever it is. */
const failure = (error: unknown): Promise<never> => Promise.resolve().then(() => {
  throw error
})

/** As a JSON-RPC answer has it. */
const rpcError = (message: string): unknown => ({ code: -32_600, message })

function matches(event: ChainEvent, filters: GetEvents['filters']): boolean {
  const topics = event.topics.map((topic) => topic.toXdr('base64'))
  return filters.some((filter) =>
    (filter.topics ?? []).some((pattern) => pattern.length === topics.length && pattern.every((part, at) => part === '*' || part === topics[at])),
  )
}

/** The one call of a transaction. */
function readCall(transaction: Transaction | FeeBumpTransaction): { readonly name: string; readonly args: readonly unknown[] } {
  const [operation] = transaction instanceof FeeBumpTransaction ? [] : transaction.operations
  if (operation?.type !== 'invokeHostFunction' || operation.func.type !== 'hostFunctionTypeInvokeContract') throw new Error('a transaction that calls no contract')
  const { functionName, args } = operation.func.invokeContract
  return { name: functionName.toString(), args: args.map((value) => scValToNative(value) as unknown) }
}

function readBatchTransaction(transaction: Transaction | FeeBumpTransaction): BatchTransaction {
  if (transaction instanceof FeeBumpTransaction) throw new Error('nobody here bumps fees')
  const { name, args } = readCall(transaction)
  if (name !== 'settle_batch') throw new Error(`the engine sends batches, not ${name}`)
  return {
    hash: Buffer.from(transaction.hash()).toString('hex'),
    sequence: BigInt(transaction.sequence),
    maxTime_s: Number(transaction.timeBounds?.maxTime ?? 0),
    batch: args[0] as OnChainBatch,
  }
}

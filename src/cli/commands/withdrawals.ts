import { isAddress } from '../../protocol/address.ts'
import type { AccountId, ActorName, Amount, ContractId } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import { formatAmount } from '../../protocol/market.ts'
import { settlementActor, vaultActor, vaultOf, watcherActor } from '../../protocol/subjects.ts'
import type { KnownExit, KnownWithdrawal, KnownWithdrawals } from '../../protocol/vault.ts'
import type { Venue } from '../../protocol/venue.ts'
import { isoTime } from '../../protocol/view.ts'
import type { CosignStanding } from '../../settlement/cosigning.ts'
import type { WatcherStatus } from '../../settlement/watcherStatus.ts'
import { whole } from '../arguments.ts'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { Unanswered, UsageFault } from '../fault.ts'
import { openOperation } from '../openOperation.ts'
import { heard } from '../operation.ts'
import type { Operation } from '../operation.ts'
import { facts, table } from '../table.ts'
import { age_s, ageText } from '../text.ts'
import { exitStanding, withdrawalStanding } from '../withdrawalStanding.ts'
import type { Around, Standing } from '../withdrawalStanding.ts'

const SHOWN = 100

type Counts = KnownWithdrawals['counts']

/** `darkpool withdrawals [ACCOUNT] [--all] [--limit N]`: money that is on its way out, whose turn it is, and what holds it up. */
export const withdrawals: Command = async ({ args, place, show, say }) => {
  const { account, closed, limit } = asked(args)
  const operation = await openOperation({ args, place, say })
  try {
    const { venue } = operation
    const vaults = account === null ? Array.from({ length: venue.file.vaultPartitions }, (_, n) => vaultActor(n)) : [vaultOf(account, venue.file.vaultPartitions)]
    const answers = await Promise.all(vaults.map((vault) => heard<KnownWithdrawals>(operation, vault, { kind: 'withdrawals', account, closed, limit })))
    const known = answers.filter((one) => one !== null)
    const listed = known.flatMap((one) => one.withdrawals).sort((one, other) => rank(one) - rank(other)).slice(0, limit)
    const exits = known.flatMap((one) => one.exits).sort((one, other) => one.created - other.created).slice(0, limit)
    const { around, silent } = await lookAround(operation, listed)
    const rows = listed.map((withdrawal) => withdrawalRow(withdrawal, withdrawalStanding(withdrawal, around), around, venue))
    const exitRows = exits.map((exit) => exitRow(exit, exitStanding(exit, around), around, venue))
    const counts = sum(known.map((one) => one.counts))
    const all = [...vaults.filter((_, at) => answers[at] === null), ...silent]
    const outcome = {
      text: text(counts, rows, exitRows),
      json: { counts, withdrawals: rows, exits: exitRows, silent: all },
      failed: [...rows, ...exitRows].some(({ stuck }) => stuck),
    }
    if (all.length === 0) return outcome
    show(outcome)
    throw new Unanswered(`no answer from ${all.join(', ')}`)
  } finally {
    await operation.close()
  }
}

function asked({ words, options }: Arguments): { readonly account: AccountId | null; readonly closed: boolean; readonly limit: number } {
  const [account = null, ...more] = words
  if (more.length > 0) throw new UsageFault('darkpool withdrawals takes one ACCOUNT at most')
  if (account !== null && !isAddress(account)) throw new UsageFault(`${account} is no Stellar account (G…, or a wallet's C…)`)
  const limit = options.limit === undefined ? SHOWN : whole('limit', options.limit)
  if (limit > limits.listedOrders) throw new UsageFault(`--limit ${limit}: ${limits.listedOrders} at most`)
  return { account: account as AccountId | null, closed: options.all === true, limit }
}

/** What settlement and watcher say of it. They are asked after the vault actors, so that nothing can be unknown to them that they have told. */
async function lookAround(operation: Operation, listed: readonly KnownWithdrawal[]): Promise<{ readonly around: Around; readonly silent: readonly ActorName[] }> {
  const settlement = settlementActor(operation.venue.channel)
  const ids = listed.filter(({ status }) => status === 'requested').map(({ id }) => id)
  const [standings, watcher, statuses] = await Promise.all([
    heard<readonly CosignStanding[]>(operation, settlement, { kind: 'cosigns', withdrawals: ids }),
    heard<WatcherStatus>(operation, watcherActor, { kind: 'status' }),
    operation.statuses(),
  ])
  const alarmsOf = (actor: ActorName) => (statuses.get(actor)?.alarms ?? []).map(({ kind }) => kind)
  const around: Around = {
    cosigns: standings && new Map(ids.map((id, at) => [id, standings[at]!])),
    alarms: alarmsOf(settlement),
    watcher,
    watcherAlarms: alarmsOf(watcherActor),
    now: Date.now() as Around['now'],
  }
  return { around, silent: [...(standings === null ? [settlement] : []), ...(watcher === null ? [watcherActor] : [])] }
}

/** What is in flight comes first, the oldest of it before all; then what is over, the newest first. */
const rank = ({ status, created }: KnownWithdrawal): number => (status === 'requested' || status === 'cosigned' ? created : Number.MAX_SAFE_INTEGER - created)

function money(contract: ContractId, venue: Venue): { readonly code: string; readonly amount: (amount: Amount) => string } {
  const asset = venue.assetByContract.get(contract)
  return asset === undefined ? { code: contract, amount: String } : { code: asset.code, amount: (amount) => formatAmount(amount, asset) }
}

function withdrawalRow({ id, account, asset, amount, status, created, updated, validUntil, transaction, ledger }: KnownWithdrawal, { waitsFor, why, stuck }: Standing, { now }: Around, venue: Venue) {
  const { code, amount: written } = money(asset, venue)
  return { id, account, asset: code, amount: written(amount), status, created: isoTime(created), updated: isoTime(updated), age_s: age_s(created, now), validUntil, transaction, ledger, waitsFor, why, stuck }
}

function exitRow({ account, asset, asked, held, due, created }: KnownExit, { waitsFor, why, stuck }: Standing, { now }: Around, venue: Venue) {
  const { code, amount } = money(asset, venue)
  return { account, asset: code, asked: amount(asked), held: amount(held), due: isoTime(due * 1_000), created: isoTime(created), age_s: age_s(created, now), waitsFor, why, stuck }
}

function sum(all: readonly Counts[]): Counts {
  const counts = { requested: 0, cosigned: 0, completed: 0, expired: 0, refused: 0, exits: 0 }
  for (const one of all) for (const [name, count] of Object.entries(one)) counts[name as keyof Counts] += count
  return counts
}

function text(counts: Counts, rows: readonly ReturnType<typeof withdrawalRow>[], exits: readonly ReturnType<typeof exitRow>[]): string {
  const { requested, cosigned, completed, expired, refused } = counts
  const mark = (stuck: boolean): string => (stuck ? 'STUCK' : '')
  const over = (why: string, transaction: string | null): string => (transaction === null ? why : `paid in ${transaction}`)
  return [
    facts([
      ['waiting', `${requested} for the engine, ${cosigned} for their owners, ${counts.exits} asked of the contract itself`],
      ['over', `${completed} paid, ${expired} expired, ${refused} refused, of those that are remembered`],
    ]),
    ...(rows.length === 0 ? [] : ['', table(
      ['age', '', 'state', 'amount', 'asset', 'account', 'waits for', 'withdrawal'],
      rows.map(({ age_s, stuck, status, amount, asset, account, why, transaction, id }) => [ageText(age_s), mark(stuck), status, amount, asset, account, over(why, transaction), id]),
    )]),
    ...(exits.length === 0 ? [] : ['', table(
      ['age', '', 'asked', 'held', 'asset', 'account', 'waits for'],
      exits.map(({ age_s, stuck, asked, held, asset, account, why }) => [ageText(age_s), mark(stuck), asked, held, asset, account, why]),
    )]),
  ].join('\n')
}

import { Keypair } from '@stellar/stellar-sdk'
import { sourceKeyPaths } from '../enclave/sourceKeys.ts'
import type { Keys } from '../enclave/keys.ts'
import type { VenueFile } from '../protocol/venue.ts'
import type { Flight } from './flight.ts'
import type { StellarRpc } from './stellarRpc.ts'

/** Stroops of a paying account below which an operator is told: hundreds of batches. */
export const FEES_LOW_STROOPS = 50_000_000n

/** The keys of the accounts that pay for settlement; empty where the engine pays itself. */
export const sourceKeys = (keys: Keys, venue: Pick<VenueFile, 'settlement'>): Promise<readonly Keypair[]> =>
  Promise.all(sourceKeyPaths(venue).map(async (path) => Keypair.fromRawEd25519Seed(await keys.secret(path))))

/**
 * Which account pays for the next transaction of a batch: another one for each batch and for each attempt, so that whatever holds up one account (its place in the
 * validators' queues, its sequence number, its balance) does not hold up the next. Those that are low are passed over; where all are, the engine's own account takes its turn too.
 */
export function payerOf(engine: Keypair, sources: readonly Keypair[], { sequence, submissions }: Pick<Flight, 'sequence' | 'submissions'>, low: readonly string[]): Keypair {
  const able = sources.filter((key) => !low.includes(key.publicKey()))
  const among = able.length > 0 ? able : [...sources, engine]
  return among[(sequence + submissions.length) % among.length] as Keypair
}

/** Stroops by account; one that is not there has nothing. @throws Error where the RPC fails */
export async function balancesOf(server: Pick<StellarRpc, 'getAccountEntry'>, addresses: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
  const balances = new Map<string, bigint>()
  for (const address of addresses) balances.set(address, await balanceOf(server, address))
  return balances
}

async function balanceOf(server: Pick<StellarRpc, 'getAccountEntry'>, address: string): Promise<bigint> {
  try {
    return (await server.getAccountEntry(address)).balance
  } catch (error) {
    if (isNotFound(error) || (error instanceof Error && isNotFound(error.cause))) return 0n
    throw error
  }
}

/** The SDK's own words; of several endpoints the error stands behind another. */
const isNotFound = (error: unknown): boolean => error instanceof Error && error.message.startsWith('Account not found')

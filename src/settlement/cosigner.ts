import { randomBytes } from 'node:crypto'
import { Account, Address, authorizeEntry, nativeToScVal, rpc, TransactionBuilder, xdr } from '@stellar/stellar-sdk'
import type { Keypair } from '@stellar/stellar-sdk'
import { crypto_sign_detached, crypto_sign_seed_keypair, crypto_sign_verify_detached } from 'sodium-native'
import type { DrivenActor } from '../actors/runtime/driver.ts'
import type { Log } from '../actors/runtime/log.ts'
import type { Cosign } from './cosigning.ts'
import type { Step } from './driverLoop.ts'
import type { SettlementLocal } from './settlementLocal.ts'
import type { SettlementMachine } from './settlementMachine.ts'
import type { StellarRpc } from './stellarRpc.ts'
import { ContractRefusal } from './contractRefusal.ts'
import type { VaultContract } from './vaultContract.ts'

/** How long a co-signed withdrawal may be executed: about eight minutes. Its funds stay reserved that long. */
export const COSIGN_LEDGERS = 100

/** Woken by new work; this bounds a missed wake-up. */
const IDLE_MS = 5_000
/** How soon it is looked again whether the chain agrees. */
const UNSURE_MS = 500

const KEY_BYTES = 32
const SECRET_BYTES = 64
const SIGNATURE_BYTES = 64

export interface CosignerOptions {
  readonly machine: SettlementMachine
  readonly server: StellarRpc
  readonly vault: VaultContract
  /** The key that the vault obeys for withdrawals; null where it is none of this venue's. */
  readonly engine: () => Promise<Keypair | null>
  readonly log: Log
  /** Signed 64-bit numbers that never repeat; random where not given. */
  readonly nonce?: () => bigint
}

/** Gives the engine's authorisation to withdrawals, one after the other. */
export class Cosigner {
  readonly #options: CosignerOptions
  readonly #actor: DrivenActor<SettlementLocal>
  readonly #agrees: () => boolean

  /** @param agrees whether the chain was found to continue what this actor remembers: a withdrawal by an older state could take what trades since then have spent */
  constructor(options: CosignerOptions, actor: DrivenActor<SettlementLocal>, agrees: () => boolean) {
    this.#options = options
    this.#actor = actor
    this.#agrees = agrees
  }

  async step(): Promise<Step> {
    const { cosign } = this.#options.machine.work
    if (cosign === undefined) return { sleep_ms: IDLE_MS }
    if (!this.#agrees()) return { sleep_ms: UNSURE_MS }
    await this.#actor.submit(await this.#decide(cosign))
    if (this.#options.machine.work.cosign?.withdrawal === cosign.withdrawal) throw new Error('a decided withdrawal still waits')
    return 'again'
  }

  async #decide(cosign: Cosign): Promise<SettlementLocal> {
    const { server, vault, log } = this.#options
    const { withdrawal, account, asset, amount } = cosign
    const engine = await this.#options.engine()
    if (engine === null) {
      const reason = 'the vault obeys another engine for withdrawals'
      log.error('settlement.cosigner', 'withdrawals cannot be co-signed: the vault obeys another engine for them', { withdrawal })
      return { kind: 'cosignRefused', withdrawal, reason }
    }
    // A withdrawal that the chain would refuse (no trustline, a frozen asset) is refused here, and its funds are free again at once.
    const draft = new TransactionBuilder(new Account(engine.publicKey(), '0'), { fee: '100', networkPassphrase: vault.passphrase })
      .addOperation(vault.withdraw(account, asset, amount))
      .setTimeout(0)
      .build()
    const simulation = await server.simulateTransaction(draft)
    if (rpc.Api.isSimulationError(simulation)) {
      const reason = new ContractRefusal(simulation.error).message
      log.warn('settlement.cosigner', 'withdrawal cannot succeed', { withdrawal, reason })
      return { kind: 'cosignRefused', withdrawal, reason }
    }
    const validUntil = simulation.latestLedger + COSIGN_LEDGERS
    return { kind: 'cosigned', withdrawal, authorization: await authorizeWithdrawal(vault, engine, cosign, validUntil, this.#options.nonce?.()), validUntil }
  }
}

/**
 * The engine's SorobanAuthorizationEntry, base64 XDR, for exactly this withdrawal: usable once (its random nonce is spent on chain), by
 * whoever also has the user's authorisation, in ledgers up to and including `validUntil`.
 */
export async function authorizeWithdrawal(
  vault: VaultContract,
  engine: Keypair,
  { account, asset, amount }: Omit<Cosign, 'withdrawal'>,
  validUntil: number,
  nonce: bigint = randomBytes(8).readBigInt64BE(),
): Promise<string> {
  // The last ledger and the signature are filled in as it is signed.
  const credentials = new xdr.SorobanAddressCredentials({
    address: new Address(engine.publicKey()).toScAddress(),
    nonce,
    signatureExpirationLedger: 0,
    signature: xdr.ScVal.scvVec([]),
  })
  const entry = new xdr.SorobanAuthorizationEntry({
    credentials: xdr.SorobanCredentials.sorobanCredentialsAddressV2(credentials),
    rootInvocation: vault.withdrawInvocation(account, asset, amount),
  })
  const sign = (_preimage: unknown, payload: Uint8Array): Promise<{ signatureScVal: xdr.ScVal; address: string }> =>
    Promise.resolve({ signatureScVal: signatureOf(engine, payload), address: engine.publicKey() })
  return (await authorizeEntry(entry, sign, validUntil, vault.passphrase)).toXdr('base64')
}

/** As the network reads an account's signature. With sodium: the SDK's own signing and checking takes milliseconds. */
function signatureOf(engine: Keypair, payload: Uint8Array): xdr.ScVal {
  const [key, secret, signature] = [Buffer.alloc(KEY_BYTES), Buffer.alloc(SECRET_BYTES), Buffer.alloc(SIGNATURE_BYTES)]
  crypto_sign_seed_keypair(key, secret, Buffer.from(engine.rawSecretKey()))
  crypto_sign_detached(signature, Buffer.from(payload), secret)
  secret.fill(0)
  // One that came out wrong could give the key away.
  if (!crypto_sign_verify_detached(signature, Buffer.from(payload), Buffer.from(engine.rawPublicKey()))) throw new Error('a signature of the engine is none')
  const type: Record<string, ['symbol', null]> = { public_key: ['symbol', null], signature: ['symbol', null] }
  return xdr.ScVal.scvVec([nativeToScVal({ public_key: new Uint8Array(key), signature: new Uint8Array(signature) }, { type })])
}

import { Type } from 'typebox'
import { DECIMAL_PATTERN } from '../decimal.ts'

/** The members that messages are made of. Every one is a string; the patterns leave one spelling for each value. */
export const Account = Type.String({ pattern: '^[GC][A-Z2-7]{55}$', description: 'Stellar address of the account that owns the funds' })
export const Contract = Type.String({ pattern: '^C[A-Z2-7]{55}$', description: 'Stellar contract address' })
export const Key = Type.String({ pattern: '^G[A-Z2-7]{55}$', description: 'Stellar public key' })
export const Network = Type.String({ minLength: 1, maxLength: 128, pattern: '^[\\x20-\\x7e]+$', description: 'Network passphrase' })
export const Nonce = Type.String({ pattern: '^[0-9A-Za-z_-]{1,32}$', description: 'Any 1–32 characters that make the message unique' })
export const UnixTime = Type.String({ pattern: '^(0|[1-9][0-9]{0,11})$', description: 'Unix time in seconds' })
export const MarketMember = Type.String({ pattern: '^[A-Za-z0-9]{1,12}-[A-Za-z0-9]{1,12}$', description: 'Market, as in GET /api/v1/markets' })
export const Decimal = Type.String({ pattern: DECIMAL_PATTERN, description: 'Decimal: no sign, no exponent, no leading or trailing zeros' })
export const Digest = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Id of a message: the hex SEP-53 digest' })

/** What every message begins with: what it is bound to, so that it means nothing on another network, vault or account. */
export const envelope = {
  network: Network,
  vault: Contract,
  account: Account,
  nonce: Nonce,
  expires: UnixTime,
}

/** Unknown members are refused everywhere. */
export const closed = { additionalProperties: false }

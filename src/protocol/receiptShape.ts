import { Type } from 'typebox'
import type { Static } from 'typebox'
import { DECIMAL_PATTERN } from './decimal.ts'
import type { Side } from './identity.ts'

const closed = { additionalProperties: false }
const Hex32 = Type.String({ pattern: '^[0-9a-f]{64}$' })
const Decimal = Type.String({ pattern: DECIMAL_PATTERN })
const AssetMember = Type.Object({ contract: Type.String({ pattern: '^C[A-Z2-7]{55}$' }), decimals: Type.Integer({ minimum: 0, maximum: 18 }) }, closed)

/** A receipt as a trader gets it (docs/api/receipts.md): decimals and times as everywhere, bytes in hex. */
export const ReceiptShape = Type.Object(
  {
    v: Type.Literal(1),
    network: Type.String({ minLength: 1, maxLength: 128, description: 'Passphrase of the network on which the root is' }),
    vault: Type.String({ pattern: '^C[A-Z2-7]{55}$' }),
    channel: Type.Integer({ minimum: 0, maximum: 0xffffffff }),
    sequence: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Of the batch, in its channel' }),
    transaction: Hex32,
    ledger: Type.Integer({ minimum: 1, maximum: 0xffffffff }),
    trade: Type.String({ minLength: 1, maxLength: 64 }),
    market: Type.String({ minLength: 1, maxLength: 32 }),
    side: Type.Unsafe<Side>({ type: 'string', enum: ['buy', 'sell'] }),
    account: Type.String({ pattern: '^[GC][A-Z2-7]{55}$' }),
    order: Hex32,
    price: Decimal,
    quantity: Decimal,
    quote: Decimal,
    fee: { ...Decimal, description: 'In the asset that the side receives: base where it buys, quote where it sells' },
    assets: Type.Object({ base: AssetMember, quote: AssetMember }, closed),
    time: Type.String({ minLength: 20, maxLength: 32, description: 'By the market’s clock' }),
    journal: { ...Hex32, description: 'Digest of the market’s journal up to the record in which the trade happened' },
    salt: Hex32,
    index: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Place of the leaf under the root' }),
    size: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Leaves under the root: two for each trade' }),
    path: Type.Array(Hex32, { maxItems: 53, description: 'Sibling of the leaf first' }),
  },
  closed,
)
export type Receipt = Static<typeof ReceiptShape>

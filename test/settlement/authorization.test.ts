import { Keypair, authorizeEntry, xdr } from '@stellar/stellar-sdk'
import fc from 'fast-check'
import t from 'tap'
import type { AccountId, Amount, ContractId } from '../../src/protocol/identity.ts'
import { authorizeWithdrawal } from '../../src/settlement/cosigner.ts'
import { VaultContract } from '../../src/settlement/vaultContract.ts'

const contract = 'CAAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQC526' as ContractId

t.test('what the engine signs for a withdrawal is what the SDK makes of the same key, to the byte', async () => {
  const vault = new VaultContract(contract, 'Somewhere')
  const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const amount = fc.bigInt({ min: 1n, max: 2n ** 127n - 1n }) as fc.Arbitrary<Amount>
  await fc.assert(
    fc.asyncProperty(seed, seed, amount, fc.nat(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), async (own, trader, amount, validUntil, nonce) => {
      const engine = Keypair.fromRawEd25519Seed(own)
      const account = Keypair.fromRawEd25519Seed(trader).publicKey() as AccountId
      const signed = await authorizeWithdrawal(vault, engine, { account, asset: contract, amount }, validUntil, nonce)
      const again = await authorizeEntry(xdr.SorobanAuthorizationEntry.fromXdr(signed, 'base64'), engine, validUntil, vault.passphrase)
      if (again.toXdr('base64') !== signed) throw new Error('another entry than the SDK makes')
    }),
    { numRuns: 20 },
  )
})

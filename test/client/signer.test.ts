import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Account, Asset, Keypair, Operation, TransactionBuilder, WebAuth } from '@stellar/stellar-sdk'
import t from 'tap'
import { assertChallenge } from '../../src/client/challenge.ts'
import { SecretSigner } from '../../src/client/secretSigner.ts'

interface Examples {
  readonly seedHex: string
  readonly account: string
  readonly examples: readonly { readonly action: string; readonly canonical: string; readonly signature: string }[]
}
const examples = JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/messages.examples.json'), 'utf8')) as Examples
const key = Keypair.fromRawEd25519Seed(Buffer.from(examples.seedHex, 'hex'))
const signer = new SecretSigner(key.secret())

t.test('signs as the documents show', async (t) => {
  t.equal(signer.address, examples.account)
  for (const { action, canonical, signature } of examples.examples) t.equal(signer.signMessage(canonical), signature, action)
})

t.test('what is no secret key is refused without being repeated', async (t) => {
  for (const text of ['', 'hello', key.publicKey(), key.secret().replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))]) {
    t.throws(() => new SecretSigner(text), { message: 'that is no Stellar secret key (S…, 56 characters)' })
  }
})

t.test('a login challenge is signed only if it can do nothing else', async (t) => {
  const passphrase = 'Somewhere'
  const server = Keypair.random()
  const challenge = WebAuth.buildChallengeTx(server, signer.address, 'pool.example', 300, passphrase, 'pool.example')
  assertChallenge(challenge, passphrase, signer.address)
  const made = (sequence: string, operation: Parameters<TransactionBuilder['addOperation']>[0]): string =>
    new TransactionBuilder(new Account(server.publicKey(), sequence), { fee: '100', networkPassphrase: passphrase, timebounds: { minTime: 0, maxTime: 2_000_000_000 } }).addOperation(operation).build().toXDR()
  const naming = Operation.manageData({ name: 'pool.example auth', value: 'x', source: signer.address })
  const paying = Operation.payment({ destination: server.publicKey(), asset: Asset.native(), amount: '1000', source: signer.address })
  assertChallenge(made('-1', naming), passphrase, signer.address)
  const message = 'the gateway asks to sign something that is no login challenge'
  t.throws(() => assertChallenge(made('-1', paying), passphrase, signer.address), { message }, 'a payment')
  t.throws(() => assertChallenge(made('41', naming), passphrase, signer.address), { message }, 'a sequence number that could count')
  t.throws(() => assertChallenge(challenge, passphrase, server.publicKey()), { message }, 'for another account')
})

import { join } from 'node:path'
import { signaturesModule } from '../../src/gateway/signatures/module.ts'

/** Where things are in this repository. */
const root = join(import.meta.dirname, '..', '..')

export const paths = {
  root,
  contract: join(root, 'contract'),
  /** The vault contract as it goes on chain. */
  wasm: join(root, 'contract', 'target', 'wasm32v1-none', 'release', 'vault.wasm'),
  /** The crate of the module that checks signatures, and what it becomes. */
  signatures: join(root, 'src', 'gateway', 'signatures', 'native'),
  signaturesModule,
  localnet: join(root, 'contract', 'target', 'localnet', 'localnet'),
  natsServer: join(root, '.darkpool', 'bin', 'nats-server'),
  bin: join(root, 'node_modules', '.bin'),
  shard: join(root, 'src', 'actors', 'shard.ts'),
  gateway: join(root, 'src', 'gateway', 'main.ts'),
  keyHolder: join(root, 'src', 'enclave', 'holder', 'main.ts'),
  guestAgent: join(root, 'src', 'enclave', 'simulator', 'main.ts'),
} as const

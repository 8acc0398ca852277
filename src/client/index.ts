// What the package offers wherever JavaScript runs. `./node` adds a faster signer, `./nats` the private feed over NATS.
export * from './chain.ts'
export * from './client.ts'
export * from './errors.ts'
export * from './messages.ts'
export * from './signer.ts'
export type { ErrorCode } from '../protocol/errors.ts'
export type * from '../protocol/feed.ts'

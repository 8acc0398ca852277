// What the package offers over NATS, with any NATS library of the @nats-io family: Node, Deno, Bun or a browser.
export * from './feed.ts'
export { SealBroken } from './feedKeyring.ts'
export type { FeedKeySource } from './feedKeyring.ts'
export { keyAccess, statementAccess } from './natsAccess.ts'
export type { NatsAccess, NatsAccessOptions } from './natsAccess.ts'
export * from './natsConnection.ts'
export * from './natsRequests.ts'
export * from './natsTransport.ts'

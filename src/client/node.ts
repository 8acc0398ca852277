// What the package offers besides in Node: a faster signer, and a transport that sees the TLS key of each of its connections.
export * from './secretSigner.ts'
export * from './tlsTransport.ts'

import type { LedgerReader, StellarRpc } from '../../src/settlement/stellarRpc.ts'

/** What settlement and watcher call. */
export type SimulatedRpc = StellarRpc & LedgerReader

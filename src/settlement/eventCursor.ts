/**
 * An event cursor is `<toid>-<event>`: the toid (SEP-35) holds the ledger in its upper 32 bits. Everything up to a cursor has been
 * searched.
 * @throws Error where the RPC's cursors are of another form: which ledgers are complete could not be told then
 */
export function cursorLedger(cursor: string): number {
  const toid = /^(\d{1,19})-\d{1,10}$/.exec(cursor)?.[1]
  if (toid === undefined) throw new Error('the RPC gives event cursors of an unknown form')
  return Number(BigInt(toid) >> 32n)
}

/**
 * The last ledger that a page completes. A page shorter than its limit reached the end of the searched window, whose last ledger the
 * cursor names; a full one may have stopped within a ledger.
 */
export function completeLedger(cursor: string, events: number, limit: number): number {
  return events < limit ? cursorLedger(cursor) : cursorLedger(cursor) - 1
}

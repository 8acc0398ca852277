/**
 * An event cursor is `<toid>-<event>`: the toid (SEP-35) holds the ledger in its upper 32 bits. Everything up to a cursor has been
 * searched.
 * @throws Error where the RPC's cursors are of another form: which ledgers are complete could not be told then
 */
export const cursorLedger = (cursor: string): number => Number(cursorPosition(cursor) >> 64n)

/** Where a cursor stands among all of them. @throws Error as `cursorLedger` */
export function cursorPosition(cursor: string): bigint {
  const [, toid, event] = /^(\d{1,19})-(\d{1,10})$/.exec(cursor) ?? []
  if (toid === undefined || event === undefined) throw new Error('the RPC gives event cursors of an unknown form')
  return (BigInt(toid) << 32n) | BigInt(event)
}

/** The cursor behind all that a ledger holds, as RPC servers write it. */
export const endOfLedger = (ledger: number): string => `${(((BigInt(ledger) + 1n) << 32n) - 1n).toString().padStart(19, '0')}-${0xffff_fffe}`

/**
 * The last ledger that a page completes. A page shorter than its limit reached the end of the searched window, whose last ledger the
 * cursor names; a full one may have stopped within a ledger.
 */
export function completeLedger(cursor: string, events: number, limit: number): number {
  return events < limit ? cursorLedger(cursor) : cursorLedger(cursor) - 1
}

/** Gives work whatever has come while it was busy, at once, one batch after another: what takes items. */
export function inTurns<Item>(work: (batch: readonly Item[]) => Promise<void>): (items: readonly Item[]) => Promise<void> {
  let waiting: Item[] = []
  let busy = false
  return async (items) => {
    waiting.push(...items)
    if (busy) return
    busy = true
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      await work(batch)
    }
    busy = false
  }
}

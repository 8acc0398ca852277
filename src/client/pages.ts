import type { CallOptions } from './patience.ts'
import { queryOf } from './query.ts'

export interface PageOptions extends CallOptions {
  /** Items in one request, 1 to 1000; 100 unless given. */
  readonly page?: number
}

type Page = Readonly<Record<string, unknown>>

/**
 * The items of a list that the venue hands out in pages, one after the other: the next page is asked for when the last one is read.
 * @param items what the answer calls its list @param limit items in one page
 */
export async function* pages<View>(read: (path: string) => Promise<Page>, path: string, items: string, filter: Readonly<Record<string, string | undefined>>, limit: number | undefined): AsyncGenerator<View> {
  let cursor: string | undefined
  do {
    const answer = await read(`${path}${queryOf({ ...filter, limit, cursor })}`)
    yield* answer[items] as readonly View[]
    cursor = (answer.next as string | null) ?? undefined
  } while (cursor !== undefined)
}

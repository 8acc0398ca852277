import type { Log } from '../../src/actors/runtime/log.ts'

const say = (at: string, message: string, ids: object = {}): void => void process.stderr.write(`${at}: ${message} ${JSON.stringify(ids)}\n`)

/** Standard output is for figures: what goes wrong is said beside it, the rest not at all. */
export const stderrLog: Log = { info: () => undefined, warn: say, error: say }

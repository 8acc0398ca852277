/** Waits, wherever JavaScript runs. */
export const delay = (time_ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time_ms))

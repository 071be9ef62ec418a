/** One runner: its result, or undefined for a failure that it has dealt with. Never rejects. */
export type Runner<T extends object> = () => Promise<T | undefined>

/**
 * Starts one runner after the other, the next as soon as one fails or when the latest has had its head start of so many
 * milliseconds; none is started after `signal` aborts. Gives the first result, or undefined when all have failed.
 */
export async function race<T extends object>(
  runners: readonly Runner<T>[],
  headStart: number,
  signal: AbortSignal,
): Promise<T | undefined> {
  const running = new Set<Promise<T | undefined>>()
  for (const runner of runners) {
    if (signal.aborted) break
    const started = runner()
    running.add(started)
    started.then((result) => result ?? running.delete(started))
    const result = await firstWithin(running, headStart)
    if (result) return result
  }
  while (running.size > 0) {
    const result = await Promise.race(running)
    if (result) return result
  }
  return undefined
}

/** The first result among `running`; undefined when one of them fails or `wait` milliseconds have passed. */
async function firstWithin<T>(running: ReadonlySet<Promise<T | undefined>>, wait: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, wait, undefined)
  })
  try {
    return await Promise.race([...running, patience])
  } finally {
    clearTimeout(timer)
  }
}

const DEADLINE = 5_000

/**
 * What comes of work that may never come to an end, or an error after 5 seconds. Its timer keeps the process alive: what
 * the work itself waits for may be timers that do not.
 * @param late says what did not happen
 */
export async function inFiveSeconds<T>(work: Promise<T>, late: () => string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${late()} within ${DEADLINE / 1000} s`)), DEADLINE)
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    clearTimeout(timer)
  }
}

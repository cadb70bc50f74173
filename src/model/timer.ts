type Timer = ReturnType<typeof setTimeout>

/** A timer that keeps no process alive. Where timers are numbers, as on Workers, there is no process to be kept alive. */
export function inBackground(timer: Timer): Timer {
  // Typed as Node has it; elsewhere the method may be missing.
  const { unref } = timer as { unref?: () => unknown }
  unref?.call(timer)
  return timer
}

/** What comes of work that is not ours, or a failure with `late()` when it has taken too long. */
export function within<T>(work: PromiseLike<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = inBackground(setTimeout(() => reject(late()), ms))
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer))
  })
}

/** Resolves with work that cannot fail, or when it has taken too long to come to an end. */
export function inTime(work: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = inBackground(setTimeout(resolve, ms))
    void work.then(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

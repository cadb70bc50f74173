/** Runs costly work a few pieces at a time. What waits is bounded: past that, work is refused at once. */
interface WorkQueue {
  /** Real work. @throws Error at once when the queue is full of such */
  run<T>(work: () => Promise<T>): Promise<T>
  /**
   * Work for appearance's sake. It waits behind all real work and gives its place to it; in a full queue it is left out,
   * and refused as real work is, so that nobody can tell the one from the other.
   */
  pretend(work: () => Promise<unknown>): Promise<void>
}

interface Piece {
  /** Rejects with what the work does. */
  start(): Promise<void>
  refuse(error: unknown): void
}

/**
 * @param atOnce how many pieces run side by side
 * @param mostWaiting how many may wait, of both kinds together
 */
export function workQueue(atOnce: number, mostWaiting: number): WorkQueue {
  const real: Piece[] = []
  const pretended: Piece[] = []
  let running = 0

  function enqueue<T>(line: Piece[], work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // Asynchronous, so that work that throws at once is a rejection like any other and gives its place back.
      line.push({ start: async () => resolve(await work()), refuse: reject })
      next()
    })
  }

  function next(): void {
    if (running >= atOnce) return
    const piece = real.shift() ?? pretended.shift()
    if (piece === undefined) return
    running++
    piece
      .start()
      .catch(piece.refuse)
      .finally(() => {
        running--
        next()
      })
  }

  function full(): Error {
    return new Error(`${mostWaiting} keys are waiting to be hashed; no more can wait`)
  }

  const isFull = () => running >= atOnce && real.length + pretended.length >= mostWaiting

  return {
    run(work) {
      if (!isFull()) return enqueue(real, work)
      const lesser = pretended.pop()
      if (lesser === undefined) return Promise.reject(full())
      lesser.refuse(full())
      return enqueue(real, work)
    },
    async pretend(work) {
      if (isFull()) throw full()
      await enqueue(pretended, work)
    },
  }
}

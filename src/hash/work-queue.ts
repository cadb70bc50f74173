/** Runs costly work a few pieces at a time. What waits is bounded: past that, work is refused at once. */
export interface WorkQueue {
  /** Real work. @throws Error at once when the queue is full */
  run<T>(work: () => Promise<T>): Promise<T>
  /** Work for appearance's sake: it waits behind all real work, and is left out when the queue is full. */
  pretend(work: () => Promise<unknown>): Promise<void>
}

interface Piece {
  start(): Promise<unknown>
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
      line.push({ start: () => work().then(resolve, reject) })
      next()
    })
  }

  function next(): void {
    if (running >= atOnce) return
    const piece = real.shift() ?? pretended.shift()
    if (piece === undefined) return
    running++
    piece.start().finally(() => {
      running--
      next()
    })
  }

  const isFull = () => running >= atOnce && real.length + pretended.length >= mostWaiting

  return {
    run(work) {
      if (!isFull()) return enqueue(real, work)
      return Promise.reject(new Error(`${mostWaiting} keys are waiting to be hashed; no more can wait`))
    },
    async pretend(work) {
      if (!isFull()) await enqueue(pretended, work)
    },
  }
}

import { KeywardError } from '../model/errors.ts'

/** How many wait for one row at most: behind a database that stands still they would pile up. */
const MOST_WAITING = 2_000
/** How many are served in one turn. */
const MOST_AT_ONCE = 256

interface Waiting<Ask, Answer> {
  readonly ask: Ask
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/**
 * Lets those of this process who want the same row take turns: the first is served at once, those who come meanwhile are
 * served together. So a hot row costs one connection, not all of them, and one transaction for many callers.
 *
 * @param serve Answers each of them in order; what it throws is thrown to all of that turn.
 */
export function inTurns<Ask, Answer>(
  serve: (row: string, asks: readonly Ask[]) => Promise<readonly PromiseSettledResult<Answer>[]>,
): (row: string, ask: Ask) => Promise<Answer> {
  const queues = new Map<string, Waiting<Ask, Answer>[]>()

  return (row, ask) =>
    new Promise((resolve, reject) => {
      const queue = queues.get(row)
      if (queue === undefined) {
        queues.set(row, [])
        void serveAll(row, { ask, resolve, reject })
        return
      }
      if (queue.length < MOST_WAITING) queue.push({ ask, resolve, reject })
      else reject(new KeywardError('STORE', 'too many wait for the same key or balance'))
    })

  async function serveAll(row: string, first: Waiting<Ask, Answer>): Promise<void> {
    let turn: readonly Waiting<Ask, Answer>[] = [first]
    while (turn.length > 0) {
      await serveTurn(row, turn)
      turn = queues.get(row)?.splice(0, MOST_AT_ONCE) ?? []
    }
    queues.delete(row)
  }

  async function serveTurn(row: string, turn: readonly Waiting<Ask, Answer>[]): Promise<void> {
    try {
      const asks = turn.map(({ ask }) => ask)
      const answers = await serve(row, asks)
      for (const [at, { resolve, reject }] of turn.entries()) {
        const answer = answers[at]
        if (answer?.status === 'fulfilled') resolve(answer.value)
        else reject(answer?.reason)
      }
    } catch (error) {
      for (const { reject } of turn) reject(error)
    }
  }
}

/** What `work` answers or throws. */
export function settled<T>(work: () => T): PromiseSettledResult<T> {
  try {
    return { status: 'fulfilled', value: work() }
  } catch (reason) {
    return { status: 'rejected', reason }
  }
}

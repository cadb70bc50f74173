import { KeywardError } from '../../model/errors.ts'

/** How many wait for one row at most: behind a database that stands still they would pile up. */
const MOST_WAITING = 2_000
/** How many are served in one turn. */
const MOST_AT_ONCE = 256

interface Waiting<Ask, Answer> {
  readonly ask: Ask
  /** Until when its turn must have begun, ms by the monotonic clock. */
  readonly until: number
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/**
 * Lets those of this process who want the same row take turns: the first is served at once, those who come meanwhile are
 * served together. So a hot row costs one connection, not all of them, and one transaction for many callers.
 *
 * @param serve Answers each of them in order; what it throws is thrown to all of that turn.
 * @param patience How long one waits for its turn at most, ms: whoever has given up must not be served, and pay.
 */
export function inTurns<Ask, Answer>(
  serve: (row: string, asks: readonly Ask[]) => Promise<readonly PromiseSettledResult<Answer>[]>,
  patience: () => number | undefined = () => undefined,
): (row: string, ask: Ask) => Promise<Answer> {
  const queues = new Map<string, Waiting<Ask, Answer>[]>()

  return (row, ask) =>
    new Promise((resolve, reject) => {
      const queue = queues.get(row)
      const waiting = { ask, until: performance.now() + (patience() ?? Number.POSITIVE_INFINITY), resolve, reject }
      if (queue === undefined) {
        queues.set(row, [])
        void serveAll(row, waiting)
        return
      }
      if (queue.length < MOST_WAITING) queue.push(waiting)
      else reject(new KeywardError('STORE', 'too many wait for the same key or balance'))
    })

  async function serveAll(row: string, first: Waiting<Ask, Answer>): Promise<void> {
    let turn: readonly Waiting<Ask, Answer>[] = [first]
    while (turn.length > 0) {
      await serveTurn(row, turn)
      turn = nextOf(queues.get(row) ?? [])
    }
    queues.delete(row)
  }

  /** They stand in the order in which they came, so that those who are late come first. */
  function nextOf(queue: Waiting<Ask, Answer>[]): readonly Waiting<Ask, Answer>[] {
    const now = performance.now()
    const late = queue.findIndex(({ until }) => until > now)
    for (const { reject } of queue.splice(0, late === -1 ? queue.length : late)) {
      reject(new KeywardError('STORE', 'no turn at the key or balance in time'))
    }
    return queue.splice(0, MOST_AT_ONCE)
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

import { KeywardError } from '../../model/errors.ts'
import { messageOf } from '../../model/redact.ts'
import { deadlines } from './deadlines.ts'

/** Something that is asked of the server, and that somebody waits for. */
export interface Call {
  /** Its time was over. */
  isOver: boolean
  /** Ends what it waits for before it is sent: a connection. */
  wake?: () => void
}

interface Calls {
  /** @throws KeywardError `STORE` for whatever fails, and as soon as the time is over */
  readonly inTime: <T>(work: (call: Call) => Promise<T>) => Promise<T>
  /** How many are under way. */
  readonly count: () => number
}

/**
 * Calls that are answered within `timeout` ms, or given up.
 * @param reason what is known to be wrong with the connection, to be added to what is said of a call given up
 */
export function callsWithin(timeout: number, reason: () => string): Calls {
  const { add, remove, count } = deadlines(timeout)
  return { inTime, count }

  function inTime<T>(work: (call: Call) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const call: Call = { isOver: false }
      const entry = add(() => {
        call.isOver = true
        call.wake?.()
        reject(new KeywardError('STORE', `Redis gave no answer within ${timeout} ms${reason()}`))
      })
      work(call).then(
        (answer) => {
          remove(entry)
          resolve(answer)
        },
        (error) => {
          remove(entry)
          reject(translated(error))
        },
      )
    })
  }
}

/** A driver's error holds the command with its values: only its words are passed on. */
function translated(error: unknown): KeywardError {
  return error instanceof KeywardError ? error : new KeywardError('STORE', `Redis: ${messageOf(error)}`)
}

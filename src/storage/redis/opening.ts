import { KeywardError } from '../../model/errors.ts'
import { messageOf } from '../../model/redact.ts'
import type { Call } from './calls.ts'
import type { Connection } from './client.ts'
import { watchServer } from './server.ts'

interface Opening {
  /** The connection stands, and its server may be asked. */
  readonly isUsable: () => boolean
  /** Makes the connection, if there is none; resolves when its server may be asked, or when nothing is to be waited for. */
  readonly ready: (call: Call) => Promise<void>
  /** What was last found wrong with a connection that does not stand, after a colon. */
  readonly reason: () => string
  /** Gives the connection up until it is needed again. */
  readonly rest: () => void
  /** Gives it up for good: whoever waits goes on. */
  readonly close: () => void
  readonly isClosed: () => boolean
}

/** A connection that is made when it is first needed. Calls wait for it here, not in the client: what was given up is never sent. */
export function openingOf(connection: Connection): Opening {
  let isClosed = false
  let isResting = false
  let reason = ''
  const waiting = new Set<() => void>()
  connection.on('error', (error) => {
    reason = `: ${messageOf(error)}`
  })
  const { isUsable, isReplica } = watchServer(connection, () => {
    reason = ''
    wakeAll()
  })
  return {
    isUsable,
    ready,
    reason: () => reason,
    rest() {
      isResting = true
      connection.disconnect()
    },
    close() {
      isClosed = true
      connection.disconnect()
      wakeAll()
    },
    isClosed: () => isClosed,
  }

  async function ready(call: Call): Promise<void> {
    while (!isUsable() && !isClosed && !call.isOver) {
      if (isReplica()) throw new KeywardError('STORE', 'Redis: the server is a replica')
      const turn = turnOf(call)
      begin()
      await turn
    }
  }

  function turnOf(call: Call): Promise<void> {
    return new Promise((go) => {
      waiting.add(go)
      call.wake = () => waiting.delete(go) && go()
    })
  }

  /** When the first attempt fails, the next ones follow by themselves; but not where it was given up between two of them. */
  function begin(): void {
    const { status } = connection
    if (status !== 'wait' && status !== 'end' && !(isResting && status === 'reconnecting')) return
    isResting = false
    connection.connect().catch(() => {})
  }

  function wakeAll(): void {
    for (const go of waiting) go()
    waiting.clear()
  }
}

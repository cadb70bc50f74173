import { KeywardError } from '../../model/errors.ts'
import { messageOf } from '../../model/redact.ts'
import type { Connection } from './client.ts'
import { turnsOf } from './cork.ts'
import { deadlines } from './deadlines.ts'
import type { Script } from './scripts.ts'
import { watchServer } from './server.ts'

/** Runs a script on the slot of its keys, which are one slot's; texts come as bytes. @throws KeywardError `STORE`, in time */
export type Run = (script: Script, keys: readonly string[], args?: readonly string[]) => Promise<unknown>

export interface Line {
  readonly run: Run
  /** The same, written at once: for what is many commands in one. */
  readonly runAtOnce: Run
  /** Makes the connection, if there is none; resolves when it stands, rejects when that takes too long. */
  readonly opened: () => Promise<void>
  /** How many replicas have what was written before on this connection: as soon as they are so many, at last after `ms`. */
  readonly wait: (replicas: number, ms: number) => Promise<number>
  /** How many connections there were. */
  readonly connections: () => number
  /** Gives the connection up until it is needed again. */
  readonly rest: () => void
  readonly close: () => void
}

/**
 * A line to the server that answers within `timeout` ms or rejects. While there is no connection, commands wait here
 * and not in the client: one that was given up is never sent.
 */
export function lineOver(connection: Connection, timeout: number): Line {
  let isClosed = false
  let isResting = false
  let reason = ''
  let connections = 0
  const waiting = new Set<() => void>()
  const calls = deadlines(timeout)
  const writeTogether = turnsOf(connection)
  connection.on('error', (error) => {
    reason = `: ${messageOf(error)}`
  })
  connection.on('ready', () => {
    connections++
  })
  const server = watchServer(connection, () => {
    reason = ''
    wakeAll()
  })

  const runs =
    (goesAtOnce: boolean): Run =>
    (script, keys, args = []) =>
      inTime((call) => send({ script, keys: keys.length, rest: [...keys, ...args], goesAtOnce }, call))
  return {
    run: runs(false),
    runAtOnce: runs(true),
    opened: () => inTime(ready),
    wait: async (replicas, ms) => Number(await inTime((call) => ready(call).then(() => connection.wait(replicas, ms)))),
    connections: () => connections,
    rest() {
      isResting = true
      connection.disconnect()
    },
    close() {
      isClosed = true
      connection.disconnect()
      wakeAll()
    },
  }

  function wakeAll(): void {
    for (const go of waiting) go()
    waiting.clear()
  }

  function send(command: Command, call: Call): Promise<unknown> {
    if (server.isUsable()) return ask(command, call)
    return ready(call).then(() => ask(command, call))
  }

  async function ask({ script, keys, rest, goesAtOnce }: Command, call: Call): Promise<unknown> {
    if (isClosed) throw new KeywardError('STORE', 'the Redis store is closed')
    // Given up while it waited: nobody would hear the answer.
    if (call.isOver) return undefined
    // One that is alone is not kept waiting for others.
    if (calls.count() > 1 && !goesAtOnce) writeTogether()
    try {
      return await connection.evalshaBuffer(script.sha, keys, ...rest)
    } catch (error) {
      // The server has forgotten the script, and so has done nothing. This sends it along, and does it once.
      if (!messageOf(error).startsWith('NOSCRIPT') || call.isOver) throw error
      return connection.evalBuffer(script.text, keys, ...rest)
    }
  }

  async function ready(call: Call): Promise<void> {
    while (!server.isUsable() && !isClosed && !call.isOver) {
      if (server.isReplica()) throw new KeywardError('STORE', 'Redis: the server is a replica')
      const turn = new Promise<void>((go) => {
        call.wake = go
        waiting.add(go)
      })
      // When the first attempt fails, the next ones follow by themselves; but not where it was given up between two of them.
      const { status } = connection
      if (status === 'wait' || status === 'end' || (isResting && status === 'reconnecting')) {
        isResting = false
        connection.connect().catch(() => {})
      }
      await turn
    }
  }

  function inTime<T>(work: (call: Call) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const call: Call = {
        isOver: false,
        giveUp() {
          call.isOver = true
          if (call.wake !== undefined && waiting.delete(call.wake)) call.wake()
          reject(new KeywardError('STORE', `Redis gave no answer within ${timeout} ms${reason}`))
        },
      }
      const entry = calls.add(call.giveUp)
      work(call).then(
        (answer) => {
          calls.remove(entry)
          resolve(answer)
        },
        (error) => {
          calls.remove(entry)
          reject(translated(error))
        },
      )
    })
  }
}

interface Command {
  readonly script: Script
  /** How many of the rest are keys. */
  readonly keys: number
  readonly rest: readonly string[]
  readonly goesAtOnce: boolean
}

interface Call {
  /** Its time was over. */
  isOver: boolean
  readonly giveUp: () => void
  /** Ends its wait for a connection. */
  wake?: () => void
}

/** A driver's error holds the command with its values: only its words are passed on. */
function translated(error: unknown): KeywardError {
  return error instanceof KeywardError ? error : new KeywardError('STORE', `Redis: ${messageOf(error)}`)
}

import { KeywardError } from '../../model/errors.ts'
import { messageOf } from '../../model/redact.ts'
import { type Call, callsWithin } from './calls.ts'
import type { Connection } from './client.ts'
import { turnsOf } from './cork.ts'
import { openingOf } from './opening.ts'
import type { Script } from './scripts.ts'

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

/** A line to the server that answers within `timeout` ms or rejects. */
export function lineOver(connection: Connection, timeout: number): Line {
  let connections = 0
  connection.on('ready', () => {
    connections++
  })
  const { isUsable, ready, reason, isClosed, rest, close } = openingOf(connection)
  const { inTime, count } = callsWithin(timeout, reason)
  const writeTogether = turnsOf(connection)
  return {
    run: runs(false),
    runAtOnce: runs(true),
    opened: () => inTime(ready),
    wait: async (replicas, ms) => Number(await inTime((call) => ready(call).then(() => connection.wait(replicas, ms)))),
    connections: () => connections,
    rest,
    close,
  }

  function runs(goesAtOnce: boolean): Run {
    return (script, keys, args = []) =>
      inTime((call) => send({ script, keys: keys.length, rest: [...keys, ...args], goesAtOnce }, call))
  }

  function send(command: Command, call: Call): Promise<unknown> {
    return isUsable() ? ask(command, call) : ready(call).then(() => ask(command, call))
  }

  async function ask({ script, keys, rest, goesAtOnce }: Command, call: Call): Promise<unknown> {
    if (isClosed()) throw new KeywardError('STORE', 'the Redis store is closed')
    // Given up while it waited: nobody would hear the answer.
    if (call.isOver) return undefined
    // One that is alone is not kept waiting for others.
    if (count() > 1 && !goesAtOnce) writeTogether()
    try {
      return await connection.evalshaBuffer(script.sha, keys, ...rest)
    } catch (error) {
      // The server has forgotten the script, and so has done nothing. This sends it along, and does it once.
      if (!messageOf(error).startsWith('NOSCRIPT') || call.isOver) throw error
      return connection.evalBuffer(script.text, keys, ...rest)
    }
  }
}

interface Command {
  readonly script: Script
  /** How many of the rest are keys. */
  readonly keys: number
  readonly rest: readonly string[]
  readonly goesAtOnce: boolean
}

import { KeywardError } from '../model/errors.ts'
import { redact } from '../model/redact.ts'
import { warnOnce } from '../model/warn.ts'
import type { Connection } from './redis-client.ts'
import type { Script } from './redis-scripts.ts'

/** Runs a script on the slot of its keys, which are one slot's. @throws KeywardError `STORE`, in time */
export type Run = (script: Script, keys: readonly string[], args?: readonly string[]) => Promise<unknown>

export interface Line {
  readonly run: Run
  /** Makes the connection, if there is none; resolves when it stands, rejects when that takes too long. */
  readonly opened: () => Promise<void>
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
  let reason = ''
  const waiting = new Set<() => void>()
  connection.on('error', (error) => {
    reason = `: ${messageOf(error)}`
  })
  connection.on('ready', () => {
    reason = ''
    wakeAll()
    void warnOfEviction(connection)
  })

  const run: Run = (script, keys, args = []) => inTime((given) => send(script, [...keys, ...args], keys.length, given))
  return {
    run,
    opened: () => inTime(ready),
    rest: () => connection.disconnect(),
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

  async function send(script: Script, rest: readonly string[], keys: number, given: Given): Promise<unknown> {
    if (connection.status !== 'ready') await ready(given)
    if (isClosed) throw new KeywardError('STORE', 'the Redis store is closed')
    // Given up while it waited: nobody would hear the answer.
    if (given.up) return undefined
    try {
      return await connection.evalsha(script.sha, keys, ...rest)
    } catch (error) {
      // The server has forgotten the script, and so has done nothing. This sends it along, and does it once.
      if (messageOf(error).startsWith('NOSCRIPT') && !given.up) return connection.eval(script.text, keys, ...rest)
      throw error
    }
  }

  async function ready(given: Given): Promise<void> {
    while (connection.status !== 'ready' && !isClosed && !given.up) {
      const turn = new Promise<void>((go) => {
        given.wake = go
        waiting.add(go)
      })
      // When the first attempt fails, the next ones follow by themselves.
      if (connection.status === 'wait' || connection.status === 'end') connection.connect().catch(() => {})
      await turn
    }
  }

  function inTime<T>(work: (given: Given) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const given: Given = { up: false }
      const timer = setTimeout(() => {
        given.up = true
        if (given.wake !== undefined && waiting.delete(given.wake)) given.wake()
        reject(new KeywardError('STORE', `Redis gave no answer within ${timeout} ms${reason}`))
      }, timeout)
      timer.unref()
      work(given).then(
        (answer) => {
          clearTimeout(timer)
          resolve(answer)
        },
        (error) => {
          clearTimeout(timer)
          reject(translated(error))
        },
      )
    })
  }
}

interface Given {
  /** Its time was over. */
  up: boolean
  /** Ends its wait for a connection. */
  wake?: () => void
}

/** A driver's error holds the command with its values: only its words are passed on. */
function translated(error: unknown): KeywardError {
  return error instanceof KeywardError ? error : new KeywardError('STORE', `Redis: ${messageOf(error)}`)
}

function messageOf(error: unknown): string {
  return redact(error instanceof Error ? error.message : String(error))
}

/** A server that throws away what it has no room for loses keys, and counters: a limit begins afresh. */
async function warnOfEviction(connection: Connection): Promise<void> {
  // Where INFO is forbidden, there is nothing to say.
  const memory = String(await connection.info('memory').catch(() => ''))
  const policy = /^maxmemory_policy:([a-z-]+)/m.exec(memory)?.[1]
  if (policy === undefined || policy === 'noeviction' || /^maxmemory:0\r?$/m.test(memory)) return
  const message = `Redis may throw away keys and counters when its memory is full (maxmemory-policy ${policy}).`
  warnOnce('KEYWARD_REDIS_EVICTION', `${message} Set maxmemory-policy to noeviction.`)
}

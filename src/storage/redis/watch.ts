import { KeywardError } from '../../model/errors.ts'
import { messageOf } from '../../model/redact.ts'
import { inBackground } from '../../model/timer.ts'
import { unescapeText } from '../escaping.ts'
import { type Connection, isCluster, listeningConnection, type RedisClient } from './client.ts'
import type { Line } from './connection.ts'

/** Longer is no message of ours. */
const LONGEST = 4_096
const SLOWEST = 400
/** The next attempt where the server does not let us listen, ms: that takes a person to mend. */
const REFUSED = 5_000
/** Nobody may have anything to tell for long: so often a line that listens is asked whether it still stands, ms. */
const PULSE = 5_000

interface Watch {
  readonly client: RedisClient
  readonly commands: Connection
  readonly line: Line
  readonly channel: string
  /** How long an answer is waited for, ms. */
  readonly timeout: number
  readonly onChange: (id: string | '*') => void
  /** Told once each time that the line is lost. */
  readonly onFault: ((error: unknown) => void) | undefined
}

/**
 * Listens on a connection of its own, and makes another when that breaks. Each time it has begun to listen, it says
 * `'*'`: nobody knows what was told in between.
 */
export function watchOver({ client, commands, line, channel, timeout, onChange, onFault }: Watch): () => void {
  let current: Connection | undefined
  let isOver = false
  let attempts = 0
  let isLost = false
  let timer: ReturnType<typeof setTimeout> | undefined

  void begin()
  return () => {
    isOver = true
    clearTimeout(timer)
    current?.disconnect()
  }

  async function begin(): Promise<void> {
    try {
      // A Cluster knows its nodes once it is open.
      if (isCluster(client)) await line.opened()
      if (!isOver) current = listeningConnection(client, commands, timeout)
    } catch (error) {
      return again(error)
    }
    if (isOver) return
    if (current === undefined) return again('the Cluster has no master')
    listen(current)
  }

  function listen(connection: Connection): void {
    let reason: unknown = 'its connection has ended'
    let least = 0
    connection.on('error', (error) => {
      reason = error
    })
    // To listen is no reason for a process to live on.
    connection.on('connect', () => connection.stream?.unref?.())
    connection.on('message', (_, message) => tell(String(message)))
    const pulse = inBackground(setInterval(() => void connection.ping().catch(() => {}), PULSE))
    connection.on('end', () => {
      clearInterval(pulse)
      again(reason, least)
    })
    connection.on('ready', () => {
      connection.subscribe(channel).then(
        () => {
          attempts = 0
          isLost = false
          if (!isOver) onChange('*')
        },
        (error) => {
          reason = error
          least = REFUSED
          connection.disconnect()
        },
      )
    })
    connection.connect().catch(() => {})
  }

  function again(reason: unknown, least = 0): void {
    current = undefined
    if (isOver) return
    if (!isLost) onFault?.(new KeywardError('STORE', `Redis tells of no changes: ${messageOf(reason)}`))
    isLost = true
    timer = setTimeout(() => void begin(), Math.max(least, Math.min(SLOWEST, 25 * ++attempts)))
    inBackground(timer)
  }

  function tell(message: string): void {
    if (!isOver) onChange(message.length > LONGEST ? '*' : unescapeText(message))
  }
}

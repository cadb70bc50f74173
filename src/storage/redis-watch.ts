import { inBackground } from '../model/timer.ts'
import { unescapeText } from './escaping.ts'
import { type Connection, isCluster, listeningConnection, type RedisClient } from './redis-client.ts'
import type { Line } from './redis-connection.ts'

/** Longer is no message of ours. */
const LONGEST = 4_096
const SLOWEST = 400
/** Nobody may have anything to tell for long: so often a line that listens is asked whether it still stands, ms. */
const PULSE = 5_000

export interface Watch {
  readonly client: RedisClient
  readonly commands: Connection
  readonly line: Line
  readonly channel: string
  /** How long an answer is waited for, ms. */
  readonly timeout: number
  readonly onChange: (id: string | '*') => void
}

/**
 * Listens on a connection of its own, and makes another when that breaks. Each time it has begun to listen, it says
 * `'*'`: nobody knows what was told in between.
 */
export function watchOver({ client, commands, line, channel, timeout, onChange }: Watch): () => void {
  let current: Connection | undefined
  let isOver = false
  let attempts = 0
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
    } catch {}
    if (isOver) return
    if (current === undefined) return again()
    listen(current)
  }

  function listen(connection: Connection): void {
    connection.on('error', () => {})
    // To listen is no reason for a process to live on.
    connection.on('connect', () => connection.stream?.unref?.())
    connection.on('message', (_, message) => tell(String(message)))
    const pulse = inBackground(setInterval(() => void connection.ping().catch(() => {}), PULSE))
    connection.on('end', () => {
      clearInterval(pulse)
      again()
    })
    connection.on('ready', () => {
      connection.subscribe(channel).then(
        () => {
          attempts = 0
          if (!isOver) onChange('*')
        },
        () => connection.disconnect(),
      )
    })
    connection.connect().catch(() => {})
  }

  function again(): void {
    current = undefined
    if (isOver) return
    timer = setTimeout(() => void begin(), Math.min(SLOWEST, 25 * ++attempts))
    inBackground(timer)
  }

  function tell(message: string): void {
    if (!isOver) onChange(message.length > LONGEST ? '*' : unescapeText(message))
  }
}

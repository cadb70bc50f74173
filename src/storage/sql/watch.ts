import { KeywardError } from '../../model/errors.ts'
import { inBackground, within } from '../../model/timer.ts'
import { unescapeText } from '../escaping.ts'

/** A connection that listens: a `Client` of `pg` fits. It is not one of a pool, and used for nothing else. */
export interface SqlListener {
  connect(): Promise<unknown>
  query(sql: string): Promise<unknown>
  on(event: 'notification', listener: (message: SqlNotification) => void): unknown
  on(event: 'error' | 'end', listener: () => void): unknown
  end(): Promise<void>
  /** Lets the process end, although the connection is open. */
  unref?(): void
}

export interface SqlNotification {
  readonly channel: string
  readonly payload?: string | undefined
}

interface Watch {
  /** Makes a connection that is not open yet. */
  readonly make: () => SqlListener
  readonly channel: string
  readonly onChange: (id: string | '*') => void
  /** Told once each time that the line is lost. */
  readonly onFault: ((error: unknown) => void) | undefined
}

/** The longest text that is an id. */
const LONGEST = 512
/** How long a connection may take to listen, ms. */
const PATIENCE = 5_000
const SLOWEST = 5_000
/** How often a connection is asked whether it still stands, ms: a firewall that has forgotten it says nothing. */
const PULSE = 5_000

/**
 * Listens on a connection of its own, and makes another when that breaks. Each time it has begun to listen it says
 * `'*'`: nobody knows what was told in between.
 *
 * @throws KeywardError `STORE` when the first connection cannot be made
 */
export async function watchOver({ make, channel, onChange, onFault }: Watch): Promise<() => Promise<void>> {
  let current: SqlListener | undefined
  let isOver = false
  let attempts = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let pulse: ReturnType<typeof setInterval> | undefined

  try {
    current = await begin()
  } catch {
    // What the driver says may hold the name of a user or a host.
    throw new KeywardError('STORE', 'PostgreSQL: cannot listen for changes')
  }
  return async () => {
    isOver = true
    clearTimeout(timer)
    clearInterval(pulse)
    const last = current
    current = undefined
    if (last !== undefined) await hangUp(last)
  }

  async function begin(): Promise<SqlListener> {
    const listener = make()
    let isLost = false
    const lost = (): void => {
      if (isLost) return
      isLost = true
      clearInterval(pulse)
      void hangUp(listener)
      // Before it listens, whoever waits for it makes another.
      if (current !== listener) return
      if (!isOver) onFault?.(new KeywardError('STORE', 'PostgreSQL tells of no changes: its connection has ended'))
      again()
    }
    listener.on('error', lost)
    listener.on('end', lost)
    listener.on('notification', (message) => {
      if (!isLost && !isOver && message.channel === channel) tell(message.payload)
    })
    try {
      await inTime(listener.connect())
      await inTime(listener.query(`LISTEN ${channel}`))
    } catch (error) {
      lost()
      throw error
    }
    if (isLost) throw new Error('the connection was lost')
    // To listen is no reason for a process to live on.
    listener.unref?.()
    attempts = 0
    if (isOver) return listener
    const ask = async () => listener.query('SELECT 1')
    pulse = inBackground(setInterval(() => void inTime(ask()).catch(lost), PULSE))
    onChange('*')
    return listener
  }

  function tell(payload: string | undefined): void {
    if (payload !== undefined && payload !== '' && payload.length <= LONGEST) onChange(unescapeText(payload))
  }

  function again(): void {
    current = undefined
    if (isOver) return
    timer = setTimeout(() => void resume(), Math.min(SLOWEST, 50 * 2 ** attempts++))
    inBackground(timer)
  }

  async function resume(): Promise<void> {
    try {
      const listener = await begin()
      if (isOver) await hangUp(listener)
      else current = listener
    } catch {
      again()
    }
  }
}

async function hangUp(listener: SqlListener): Promise<void> {
  try {
    await inTime(listener.end())
  } catch {}
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return within(work, PATIENCE, () => new Error('too late'))
}

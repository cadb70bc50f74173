import { subscribe } from 'node:diagnostics_channel'
import { type Duration, parseDuration } from '../model/duration.ts'
import { KeywardError } from '../model/errors.ts'
import { isObject } from '../model/is-object.ts'
import type { KeyRecord } from '../model/key.ts'
import { own } from '../model/own.ts'
import { show } from '../model/redact.ts'
import { inBackground } from '../model/timer.ts'

/** A connection that stays open: a WebSocket of `ws`, any stream, or a request or response of HTTP/2, whose stream it is then. */
export interface Connection {
  once(event: 'close', listener: () => void): unknown
  /** Of a WebSocket: takes a code and a reason for the client. Those of streams take something else, or nothing. */
  close?(...told: never[]): unknown
  terminate?(): unknown
  pause?(): unknown
  removeAllListeners?(event: 'message'): unknown
  destroy?(): unknown
  readonly readyState?: unknown
  /** Of a WebSocket: the bytes that are still to be sent. */
  readonly bufferedAmount?: unknown
  /** Of a stream. */
  readonly destroyed?: unknown
  readonly closed?: unknown
  /** Of a request and a response of HTTP/2. */
  readonly stream?: Omit<Connection, 'stream'> | undefined
}

interface Lookup {
  get(id: string): Promise<KeyRecord | undefined>
}

/** The open connections of a key, and the timer that looks after it. */
interface Watch {
  readonly id: string
  readonly every: number
  readonly connections: Set<Connection>
  readonly look: () => Promise<void>
  readonly timer: NodeJS.Timeout
}

/** A WebSocket that is no more, by its `readyState`. */
const CLOSED = 3
/** How long a WebSocket may take to send what is queued before its close frame, in ms. */
const GRACE = 1000
/** The longest that a timer of Node can wait, in whole days. */
const LONGEST = 24 * 86_400_000

const watches = new Map<Lookup, Map<string, Watch>>()

/** What happens in this process is heard at once. A bulk revocation names no key: then all are looked at. */
const hear = (event: unknown) => {
  const { id } = event as { id?: string }
  for (const byId of watches.values()) {
    for (const watch of byId.values()) if (id === undefined || id === watch.id) watch.look()
  }
}
let hears = false

/**
 * Closes a connection when its key is revoked, disabled, removed or expires: a WebSocket with the code 1008. What this
 * process does is heard at once; what another does, and the time, is looked for.
 * @param access the identity that opened the connection; without one (an optional demand) nothing happens
 * @param options `every`: how long another process may be ahead, by default 5 s
 * @param keys the instance of the key, one alone, or whatever else finds a record by its id
 * @throws KeywardError `CONFIG` for an `every` that is no duration from 1 ms to 24 days, for `keys` without `get`, and for
 * what is no connection, or no option
 */
export function closeWhenRevoked(
  keys: Lookup,
  access: Pick<KeyRecord, 'id'> | undefined,
  given: Connection,
  options: { readonly every?: Duration } = {},
): void {
  const { every = '5s', ...more } = own(Object(options) as typeof options)
  if (!isObject(options) || Object.keys(more).length > 0)
    throw wrong(`options must be { every? }, not ${show(options)}`)
  if (typeof keys?.get !== 'function') throw wrong(`keys must be one instance of createApiKeys, not ${show(keys)}`)
  const connection = isObject(given?.stream) ? given.stream : given
  if (typeof connection?.once !== 'function') throw wrong('the connection must be a WebSocket or a stream')
  const ms = parseDuration(every) ?? 0
  if (ms < 1 || ms > LONGEST) throw wrong(`every must be a duration from 1 ms to 24 days, not ${show(every)}`)
  if (access === undefined || isOver(connection)) return
  if (!hears) for (const type of ['revoked', 'disabled', 'removed']) subscribe(`keyward:${type}`, hear)
  hears = true
  const watch = watchOf(keys, access.id, ms)
  watch.connections.add(connection)
  connection.once('close', () => {
    watch.connections.delete(connection)
    if (watch.connections.size === 0) forget(keys, watch)
  })
  // Between the verdict and now the key may have ended.
  watch.look()
}

function wrong(what: string): KeywardError {
  return new KeywardError('CONFIG', `closeWhenRevoked: ${what}`)
}

/** One that has closed says so no more. */
function isOver({ destroyed, closed, readyState }: Connection): boolean {
  return destroyed === true || closed === true || readyState === CLOSED
}

function watchOf(keys: Lookup, id: string, every: number): Watch {
  const byId = watches.get(keys) ?? new Map<string, Watch>()
  const watch = byId.get(`${id} ${every}`) ?? newWatch(keys, id, every)
  watches.set(keys, byId.set(`${id} ${every}`, watch))
  return watch
}

function forget(keys: Lookup, watch: Watch): void {
  const byId = watches.get(keys)
  clearInterval(watch.timer)
  const at = `${watch.id} ${watch.every}`
  if (byId?.get(at) === watch) byId.delete(at)
  if (byId?.size === 0) watches.delete(keys)
}

function newWatch(keys: Lookup, id: string, every: number): Watch {
  const connections = new Set<Connection>()
  const look = async () => {
    try {
      const record = await keys.get(id)
      if (record?.status === 'active') return
    } catch {
      return // A store that is down ends no connection; the next look may find it up.
    }
    for (const connection of connections) if (hasDone(() => end(connection))) connections.delete(connection)
  }
  return { id, every, connections, look, timer: inBackground(setInterval(look, every)) }
}

/** A connection that cannot be ended keeps no other open, and is tried again at the next look. */
function hasDone(act: () => void): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}

/** A client may ignore that a WebSocket is closed, and send on: so it is ended as well. */
function end(connection: Connection): void {
  const { close, destroy, bufferedAmount } = connection
  if (destroy !== undefined) return void destroy.call(connection)
  try {
    if (close !== undefined) Reflect.apply(close, connection, [1008, 'The API key is no longer valid.'])
  } finally {
    // Ended at once, it would drop the close frame that waits behind what is queued.
    if (typeof bufferedAmount === 'number' && bufferedAmount > 0) endSoon(connection)
    else terminate(connection)
  }
}

function endSoon(connection: Connection): void {
  connection.pause?.()
  inBackground(setTimeout(() => hasDone(() => terminate(connection)), GRACE))
}

/** What a paused WebSocket has got meanwhile it would tell of when it ends: nobody is to hear that any more. */
function terminate(connection: Connection): void {
  connection.removeAllListeners?.('message')
  connection.terminate?.()
}

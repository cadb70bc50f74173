import { subscribe } from 'node:diagnostics_channel'
import { type Duration, parseDuration } from '../model/duration.ts'
import { KeywardError } from '../model/errors.ts'
import type { KeyRecord } from '../model/key.ts'
import { show } from '../model/redact.ts'
import { inBackground } from '../model/timer.ts'

/** A connection that stays open: a WebSocket of `ws`, or any stream. */
export interface Connection {
  once(event: 'close', listener: () => void): unknown
  /** Of a WebSocket: takes a code and a reason for the client. Those of streams take something else, or nothing. */
  close?(...told: never[]): unknown
  terminate?(): unknown
  destroy?(): unknown
  readonly readyState?: unknown
  /** Of a stream. */
  readonly destroyed?: unknown
  readonly closed?: unknown
  /** Of a response of HTTP/2. */
  readonly stream?: { readonly destroyed?: unknown } | undefined
}

interface Lookup {
  get(id: string): Promise<KeyRecord | undefined>
}

/** The open connections of a key, and the timer that looks after it. */
interface Watch {
  readonly id: string
  readonly every: number
  readonly connections: Set<Connection>
  readonly look: () => void
  readonly timer: NodeJS.Timeout
}

/** A WebSocket that is no more, by its `readyState`. */
const CLOSED = 3
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
 * @throws KeywardError `CONFIG` for an `every` that is no duration from 1 ms to 24 days
 */
export function closeWhenRevoked(
  keys: Lookup,
  access: Pick<KeyRecord, 'id'> | undefined,
  connection: Connection,
  { every = '5s' }: { readonly every?: Duration } = {},
): void {
  const ms = parseDuration(every) ?? 0
  if (ms < 1 || ms > LONGEST) {
    throw new KeywardError(
      'CONFIG',
      `closeWhenRevoked: every must be a duration from 1 ms to 24 days, not ${show(every)}`,
    )
  }
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

/** One that has closed says so no more. */
function isOver({ destroyed, closed, readyState, stream }: Connection): boolean {
  return destroyed === true || closed === true || readyState === CLOSED || stream?.destroyed === true
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
  const look = () => {
    keys.get(id).then(
      (record) => {
        if (record?.status !== 'active') for (const connection of connections) end(connection)
      },
      () => {}, // A store that is down ends no connection; the next look may find it up.
    )
  }
  return { id, every, connections, look, timer: inBackground(setInterval(look, every)) }
}

/** A client may ignore that a WebSocket is closed, and send on: so it is ended as well. */
function end(connection: Connection): void {
  const { close, destroy, terminate } = connection
  if (destroy !== undefined) return void destroy.call(connection)
  if (close !== undefined) Reflect.apply(close, connection, [1008, 'The API key is no longer valid.'])
  terminate?.call(connection)
}

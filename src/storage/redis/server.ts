import { inBackground } from '../../model/timer.ts'
import { warnOnce } from '../../model/warn.ts'
import type { Connection } from './client.ts'

/** How soon a server that was a replica is asked again whether it is one, ms. */
const ASKED_AGAIN = 400

interface Server {
  /** The connection stands, and to a server that is no replica. */
  readonly isUsable: () => boolean
  /** The connection stands, but what the server knows may be old. */
  readonly isReplica: () => boolean
}

/**
 * Asks a server what it is each time that a connection to it stands. A replica may lag, and still know a key that was
 * revoked: it is not used, and asked again until it is the primary, or the client has been led to another.
 * @param onKnown called each time that the answer is there
 */
export function watchServer(connection: Connection, onKnown: () => void): Server {
  let connections = 0
  let role: 'primary' | 'replica' | undefined
  const stands = (): boolean => connection.status === 'ready'
  connection.on('ready', () => void look(++connections))
  connection.on('close', () => {
    role = undefined
  })
  return { isUsable: () => role === 'primary' && stands(), isReplica: () => role === 'replica' && stands() }

  async function look(which: number): Promise<void> {
    // A Cluster asks masters, and a replica of one sends away whoever asks it.
    if (connection.nodes !== undefined) become('primary')
    // Where INFO is forbidden, there is nothing to say. A replica still answers no `find` and no `take`.
    const told = String(await connection.info().catch(() => ''))
    // ioredis goes on in database 0 where there is no such one, after an event that says so.
    const { db = 0 } = connection.options
    if (db > 0 && !(await connection.select(db).catch(() => {}))) return
    if (which !== connections || !stands()) return
    warnOfEviction(told)
    if (connection.nodes === undefined) become(/^role:(slave|replica)\r?$/m.test(told) ? 'replica' : 'primary')
    if (role === 'replica') warnOfReplica(() => which === connections && stands() && connection.disconnect(true))
    else warnOfCrashes(told)
  }

  function become(what: typeof role): void {
    role = what
    onKnown()
  }
}

/** By a new connection: a name, or a Sentinel, may lead to another server by then. */
function warnOfReplica(leave: () => void): void {
  inBackground(setTimeout(leave, ASKED_AGAIN))
  const message = 'Redis is a replica: all keys are unavailable.'
  warnOnce('KEYWARD_REDIS_REPLICA', `${message} Give redisStore the address of the primary, or of its Sentinels.`)
}

/** A server that throws away what it has no room for loses keys, and counters: a limit begins afresh. */
function warnOfEviction(told: string): void {
  const policy = /^maxmemory_policy:([a-z-]+)/m.exec(told)?.[1]
  if (policy === undefined || policy === 'noeviction' || /^maxmemory:0\r?$/m.test(told)) return
  const message = `When its memory is full, Redis throws away keys and counters (maxmemory-policy ${policy}).`
  warnOnce('KEYWARD_REDIS_EVICTION', `${message} Set noeviction.`)
}

/** As Redis comes: it acknowledges what only its memory has. */
function warnOfCrashes(told: string): void {
  if (!/^aof_enabled:0/m.test(told)) return
  const message =
    'When it crashes, Redis loses all changes since its last snapshot, revocations too. Set appendonly yes'
  warnOnce('KEYWARD_REDIS_PERSISTENCE', `${message}, and appendfsync always where no change may be lost.`)
}

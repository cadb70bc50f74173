import { randomBytes } from 'node:crypto'
import { hasCode, KeywardError } from '../../model/errors.ts'
import type { StoredKey } from '../../model/key.ts'
import type { Line, Run } from './connection.ts'
import type { Names } from './keys.ts'
import { toKey } from './records.ts'
import { FIND, NOW, script, WRITABLE } from './scripts.ts'

/** How keys are changed, and how those are read of which nobody knows whether a failover would take a change back. */
interface Changes {
  /** Does something that changes the key `id`, or many. `false`: nothing was changed. */
  change<T>(id: string | undefined, work: (run: Run) => Promise<T>): Promise<T>
  find(id: string): Promise<StoredKey | undefined>
}

/** A writing that changes no key, behind all that this connection wrote: what was only read before is waited for, too. */
const MARK = script(`return redis.call('INCR', KEYS[1])`)

/** The changes of a key that are not confirmed; an id. Noted for a week: the next who reads the key looks to it. */
const BEGIN = script(`${NOW}
local token = string.format('%.0f', now) .. '|' .. ARGV[1]
redis.call('SADD', KEYS[1], token)
redis.call('PEXPIRE', KEYS[1], 604800000)
return token`)

/** Record, pending; both at one moment: what is pending no more was confirmed. */
const LOOK = script(`${WRITABLE}
return { redis.call('GET', KEYS[1]), redis.call('SMEMBERS', KEYS[2]) }`)

/** The same; how old they have to be (ms), then the changes. */
const DONE = script(`${NOW}
for at = 2, #ARGV do
  if now - tonumber(string.match(ARGV[at], '^%d+')) >= tonumber(ARGV[1]) then redis.call('SREM', KEYS[1], ARGV[at]) end
end
return 1`)

/** Changes that hold once the primary has them. */
export function changesOver(run: Run, names: Names): Changes {
  return { change: (_, work) => work(run), find: async (id) => toKey(id, await run(FIND, [names.record(id)])) }
}

/**
 * Changes that hold once so many replicas have them, too, so that a failover to one of these takes none back. They go on
 * a line of their own, because a connection that waits for replicas does nothing else meanwhile.
 *
 * A change that is not confirmed is noted beside its key, for every process: such a key is read only when enough replicas
 * have what is read, else the same change again would find nothing to do, and resolve.
 *
 * @throws KeywardError `STORE`, `outcome: 'unknown'`, where there are not enough within half the time of the line
 */
export function replicatedChanges(
  run: Run,
  line: Line,
  names: Names,
  { replicas, timeout }: { readonly replicas: number; readonly timeout: number },
): Changes {
  return {
    async change(id, work) {
      if (id === undefined) return confirmed(work)
      const begun: string[] = []
      try {
        const answer = await confirmed(async (send) => {
          begun.push(String(await send(BEGIN, [names.pending(id)], [randomBytes(6).toString('hex')])))
          return work(send)
        })
        await done(id, begun, 0)
        return answer
      } catch (error) {
        if (hasCode(error, 'CONFLICT') || hasCode(error, 'INPUT')) await done(id, begun, 0)
        throw error
      }
    },
    async find(id) {
      const { answer, pending } = await look(run, id)
      return pending.length > 0 ? findConfirmed(id) : toKey(id, answer)
    },
  }

  async function look(
    send: Run,
    id: string,
  ): Promise<{ readonly answer: unknown; readonly pending: readonly string[] }> {
    const [answer, pending] = (await send(LOOK, [names.record(id), names.pending(id)])) as readonly unknown[]
    return { answer, pending: Array.isArray(pending) ? pending.map(String) : [] }
  }

  async function findConfirmed(id: string): Promise<StoredKey | undefined> {
    const { answer, pending } = await confirmed((send) => look(send, id))
    // One that is under way may write after this was read.
    await done(id, pending, 4 * timeout)
    return toKey(id, answer)
  }

  /** All of it on one connection: another may lead to a server that was promoted, and confirms what it never had. */
  async function confirmed<T>(work: (run: Run) => Promise<T>): Promise<T> {
    await line.opened()
    const connection = line.connections()
    const answer = await work(line.run)
    if (answer === false) return answer
    await line.run(MARK, [names.mark])
    const count = await line.wait(replicas, Math.ceil(timeout / 2))
    if (line.connections() !== connection) throw unconfirmed('the connection broke')
    if (count < replicas) throw unconfirmed(`${count} of ${replicas} replicas have the change`)
    return answer
  }

  /** What stays pending costs whoever reads the key a look, and nothing else. */
  async function done(id: string, tokens: readonly string[], age: number): Promise<void> {
    if (tokens.length > 0) await line.run(DONE, [names.pending(id)], [String(age), ...tokens]).catch(() => {})
  }
}

function unconfirmed(why: string): KeywardError {
  return new KeywardError('STORE', `Redis: ${why}`, { outcome: 'unknown' })
}

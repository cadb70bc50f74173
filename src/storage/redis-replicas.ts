import { hasCode, KeywardError } from '../model/errors.ts'
import type { StoredKey } from '../model/key.ts'
import type { Line, Run } from './redis-connection.ts'
import type { Names } from './redis-keys.ts'
import { toKey } from './redis-records.ts'
import { FIND, script } from './redis-scripts.ts'

/** How keys are changed, and how those are read of which nobody knows whether a failover would take a change back. */
export interface Changes {
  /** Does something that changes the key `id`, or many. `false`: nothing was changed. */
  change<T>(id: string | undefined, work: (run: Run) => Promise<T>): Promise<T>
  find(id: string): Promise<StoredKey | undefined>
}

/** A writing that changes no key, behind all that this connection wrote: what was only read before is waited for, too. */
const MARK = script(`return redis.call('INCR', KEYS[1])`)

/** Ids whose last change is uncertain; of more, the oldest are as any other. */
const MOST = 10_000

/** Changes that hold once the primary has them. */
export function changesOver(run: Run, names: Names): Changes {
  return { change: (_, work) => work(run), find: async (id) => toKey(id, await run(FIND, [names.record(id)])) }
}

/**
 * Changes that hold once so many replicas have them, too, so that a failover to one of these takes none back. They go on
 * a line of their own, because a connection that waits for replicas does nothing else meanwhile.
 *
 * A key whose change was not confirmed is read on that line, too, and only when its replicas have what is read: else
 * the same change again would find nothing to do, and resolve.
 *
 * @throws KeywardError `STORE`, `outcome: 'unknown'`, where there are not enough within half the time of the line
 */
export function replicatedChanges(
  plain: Changes,
  line: Line,
  names: Names,
  { replicas, timeout }: { readonly replicas: number; readonly timeout: number },
): Changes {
  const uncertain = new Set<string>()
  return {
    change,
    find: (id) => (uncertain.has(id) ? change(id, (run) => changesOver(run, names).find(id)) : plain.find(id)),
  }

  async function change<T>(id: string | undefined, work: (run: Run) => Promise<T>): Promise<T> {
    try {
      await line.opened()
      const connection = line.connections()
      const answer = await work(line.run)
      if (answer === false) return answer
      await confirm(connection)
      if (id !== undefined) uncertain.delete(id)
      return answer
    } catch (error) {
      if (id !== undefined && !hasCode(error, 'CONFLICT') && !hasCode(error, 'INPUT')) note(id)
      throw error
    }
  }

  /** All of it on one connection: another may lead to a server that was promoted, and confirms what it never had. */
  async function confirm(connection: number): Promise<void> {
    await line.run(MARK, [names.mark])
    const count = await line.wait(replicas, Math.ceil(timeout / 2))
    if (line.connections() !== connection) throw unconfirmed('the connection broke')
    if (count < replicas) throw unconfirmed(`${count} of ${replicas} replicas have the change`)
  }

  function note(id: string): void {
    uncertain.delete(id)
    uncertain.add(id)
    const [oldest] = uncertain
    if (uncertain.size > MOST && oldest !== undefined) uncertain.delete(oldest)
  }
}

function unconfirmed(why: string): KeywardError {
  return new KeywardError('STORE', `Redis: ${why}`, { outcome: 'unknown' })
}

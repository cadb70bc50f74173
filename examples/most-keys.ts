import type { ApiKeys, Created, CreateInput } from 'keyward'
import type { Pool } from 'pg'

/**
 * `keys.create` for an owner who has fewer than `most` keys, else `undefined`: of many at once, as many as there is room
 * for. Counting and creating are one step, under a lock of the owner in your PostgreSQL, which ends with its connection.
 * @param locks connections for this alone: one that waits for a lock must not keep the keys from being written
 */
export function createUpTo(most: number, keys: ApiKeys, locks: Pool) {
  return async (input: CreateInput): Promise<Created | undefined> => {
    const client = await locks.connect()
    let error: unknown
    try {
      await client.query('begin')
      await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`keys of ${input.owner}`])
      const made = (await countOf(keys, input.owner)) < most ? await keys.create(input) : undefined
      await client.query('commit')
      return made
    } catch (thrown) {
      error = thrown
      throw thrown
    } finally {
      client.release(error !== undefined) // what failed is closed, and its lock with it
    }
  }
}

/** A revoked key can never be used again, and takes no place. */
async function countOf(keys: ApiKeys, owner: string): Promise<number> {
  let count = 0
  let cursor: string | undefined
  do {
    const page = await keys.list({ owner, limit: 100, cursor })
    count += page.items.filter(({ status }) => status !== 'revoked').length
    cursor = page.cursor
  } while (cursor !== undefined)
  return count
}

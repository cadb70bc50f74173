import { createApiKeys } from 'keyward'
import { migrate, sqlStore } from 'keyward/sql'
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { connect, type Prepared, prepare, SERVERS } from '../storage/sql/databases.ts'
import { judged, listener } from '../support/outcome.ts'

/** What an administrator may do to a server, in its own words. */
const WORDS = {
  PostgreSQL: {
    readOnly: ['BEGIN', 'LOCK TABLE keyward_keys IN EXCLUSIVE MODE'],
    writable: ['COMMIT'],
    demoted: ['ALTER SYSTEM SET default_transaction_read_only = on', 'SELECT pg_reload_conf()'],
    promoted: ['ALTER SYSTEM RESET default_transaction_read_only', 'SELECT pg_reload_conf()'],
    impatient: ["ALTER SYSTEM SET statement_timeout = '40ms'", 'SELECT pg_reload_conf()'],
    patient: ['ALTER SYSTEM RESET statement_timeout', 'SELECT pg_reload_conf()'],
    connections: 'SELECT pid AS id FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE $$%keyward%$$',
    end: (id: string) => `SELECT pg_terminate_backend(${id})`,
  },
  MariaDB: {
    // An administrator may write all the same, and so may these tests: a lock is what makes it read-only for everybody.
    readOnly: ['FLUSH TABLES WITH READ LOCK'],
    writable: ['UNLOCK TABLES'],
    demoted: ['SET GLOBAL read_only = 1'],
    promoted: ['SET GLOBAL read_only = 0'],
    impatient: ['SET GLOBAL max_statement_time = 0.04'],
    patient: ['SET GLOBAL max_statement_time = 0'],
    connections: 'SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND user = "root"',
    end: (id: string) => `KILL CONNECTION ${id}`,
  },
} as const

describe.each(SERVERS)('D-17 over %s,', (engine) => {
  const words = WORDS[engine]
  let prepared: Prepared
  let admin: Kysely<unknown>

  beforeAll(async () => {
    prepared = await prepare(engine)
    // What an administrator sets for a connection, it has to undo.
    admin = connect(prepared.target, 1)
    await migrate(admin)
  }, 60_000)
  afterAll(async () => {
    await admin?.destroy()
    await prepared?.end()
  })

  const say = async (lines: readonly string[]) => {
    for (const line of lines) await sql.raw(line).execute(admin)
  }

  function node(most = 8) {
    const [kysely, heard] = [connect(prepared.target, most), listener()]
    const store = sqlStore(kysely)
    const keys = createApiKeys({ prefix: 'sf_', store, storeTimeout: 400, onEvent: heard.onEvent })
    onTestFinished(async () => {
      await keys.close()
      await kysely.destroy()
    })
    const limited = async () => {
      const made = await keys.create({ owner: 'acct_1', limits: { hour: 1_000 } })
      await expect.poll(() => judged(keys, made.key)).toBe('admitted')
      return made
    }
    return { keys, kysely, heard, limited }
  }

  it('a pool that the host has used up makes requests unavailable, and serves when it has connections again', async () => {
    const { keys, kysely, limited } = node(2)
    const { key } = await limited()
    let free: () => void = () => {}
    const busy = new Promise<void>((resolve) => {
      free = resolve
    })
    const held = [1, 2].map(() => kysely.connection().execute(() => busy))
    const codes = await Promise.all(Array.from({ length: 20 }, () => judged(keys, key)))
    expect(new Set(codes)).toEqual(new Set(['unavailable']))
    free()
    await Promise.all(held)
    await expect.poll(() => judged(keys, key), { timeout: 5_000 }).toBe('admitted')
  })

  it('a server that is no primary any more, on connections that stand, admits nobody until it is one again', async () => {
    const { keys, limited, heard } = node()
    const made = [await limited(), await keys.create({ owner: 'acct_1' })]
    await say(words.demoted)
    try {
      for (const { key } of made) {
        await expect.poll(() => judged(keys, key), { timeout: 5_000 }).toBe('unavailable')
        // Nor what would be written nothing of.
        expect(await judged(keys, key, { cost: 0 })).toBe('unavailable')
      }
      expect(JSON.stringify(heard.events)).toContain('takes no writes')
    } finally {
      await say(words.promoted)
    }
    for (const { key } of made) await expect.poll(() => judged(keys, key), { timeout: 5_000 }).toBe('admitted')
  })

  it('a server that may not be written admits nobody uncounted, and lets keys without limits go on', async () => {
    const { keys, limited } = node()
    const { key } = await limited()
    const { key: unlimited } = await keys.create({ owner: 'acct_1' })
    await say(words.readOnly)
    try {
      await expect.poll(() => judged(keys, key), { timeout: 5_000 }).toBe('unavailable')
      expect(await judged(keys, unlimited)).toBe('admitted')
      await expect(keys.create({ owner: 'acct_1' })).rejects.toMatchObject({ code: 'STORE', outcome: 'unknown' })
    } finally {
      await say(words.writable)
    }
    await expect.poll(() => judged(keys, key), { timeout: 5_000 }).toBe('admitted')
  })

  it('a statement that the server breaks off is unavailable, and no other key suffers', async () => {
    const { keys, limited } = node()
    const [slow, other] = [await limited(), await limited()]
    const host = connect(prepared.target, 1)
    await say(words.impatient)
    try {
      // Connections that stand have begun with the patience of before.
      const fresh = node()
      await fresh.limited()
      await host.transaction().execute(async (transaction) => {
        await sql`SELECT * FROM keyward_keys WHERE id = ${slow.record.id} FOR UPDATE`.execute(transaction)
        for (let time = 0; time < 8; time++) {
          expect(await judged(fresh.keys, slow.key)).toBe('unavailable')
          expect(await judged(fresh.keys, other.key)).toBe('admitted')
        }
      })
    } finally {
      await say(words.patient)
      await host.destroy()
    }
    await expect.poll(() => judged(keys, slow.key), { timeout: 5_000 }).toBe('admitted')
  })

  it('connections that are cut in the midst of their work cost answers, not exactness', async () => {
    const { keys, limited, heard } = node()
    const { key } = await limited()
    heard.events.length = 0
    const unhandled: unknown[] = []
    const note = (error: unknown) => void unhandled.push(error)
    process.on('unhandledRejection', note)
    let goesOn = true
    const codes: string[] = []
    const load = Array.from({ length: 8 }, async () => {
      while (goesOn) codes.push(await judged(keys, key))
    })
    for (let round = 0; round < 5; round++) {
      const { rows } = await sql.raw<{ id: number | string }>(words.connections).execute(admin)
      for (const { id } of rows)
        await sql
          .raw(words.end(String(id)))
          .execute(admin)
          .catch(() => {})
      const before = codes.length
      await expect.poll(() => codes.length, { timeout: 5_000 }).toBeGreaterThan(before + 20)
    }
    goesOn = false
    await Promise.all(load)
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
    expect([...new Set(codes)].filter((code) => !['admitted', 'unavailable', 'rate_limited'].includes(code))).toEqual(
      [],
    )
    expect(codes.filter((code) => code === 'admitted').length).toBeLessThanOrEqual(999)
    await expect.poll(() => judged(keys, key, { cost: 0 }), { timeout: 5_000 }).toBe('admitted')
  })
})

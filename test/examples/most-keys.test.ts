import { createApiKeys } from 'keyward'
import { migrate, sqlStore } from 'keyward/sql'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createUpTo } from '../../examples/most-keys.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'

const MOST = 10
const MARK = 'keys of the killed one'

let server: Postgres
const ends: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  server = await startPostgres()
  const db = new Kysely<never>({ dialect: new PostgresDialect({ pool: newPool(1) }) })
  await migrate(db)
}, 60_000)

afterAll(async () => {
  for (const end of ends) await end()
  await server.end()
})

function newPool(max: number): pg.Pool {
  const pool = new pg.Pool({ ...server.connection, max })
  pool.on('error', () => {}) // a connection that a test kills
  ends.push(() => pool.end())
  return pool
}

/** An instance as a process of its own would have it, with its connections open: who comes first is not who connects first. */
async function openInstance() {
  const store = sqlStore(new Kysely<never>({ dialect: new PostgresDialect({ pool: newPool(5) }) }))
  const keys = createApiKeys({ prefix: 'mk_', store, storeTimeout: '10s' })
  ends.unshift(() => keys.close())
  const locks = newPool(5)
  const clients = await Promise.all(Array.from({ length: 5 }, () => locks.connect()))
  for (const client of clients) client.release()
  await Promise.all(Array.from({ length: 5 }, () => keys.list({ owner: 'nobody' })))
  return { keys, locks, create: createUpTo(MOST, keys, locks) }
}

describe('examples/most-keys.ts', () => {
  it('X-12: 100 creates at once, one below the most, on two instances: exactly one more', async () => {
    const instances = [await openInstance(), await openInstance()] as const
    for (let i = 0; i < MOST - 1; i++) expect(await instances[0].create({ owner: 'acct_1' })).toBeDefined()
    const made = await Promise.all(
      Array.from({ length: 100 }, (_, i) => instances[i % 2 === 0 ? 0 : 1].create({ owner: 'acct_1' })),
    )
    expect(made.filter((each) => each !== undefined)).toHaveLength(1)
    expect((await instances[1].keys.list({ owner: 'acct_1' })).items).toHaveLength(MOST)
    // Others are not kept from theirs.
    expect(await instances[1].create({ owner: 'acct_2' })).toBeDefined()
  })

  it('X-12: revoked and removed keys take no place; disabled ones do', async () => {
    const { keys, create } = await openInstance()
    const owner = 'acct_3'
    const made = []
    for (let i = 0; i < MOST; i++) made.push(await create({ owner, name: `Key ${i}` }))
    const [first = '', second = '', third = ''] = made.map((each) => each?.record.id ?? '')
    await keys.disable(third)
    expect(await create({ owner })).toBeUndefined()
    await keys.revoke(first)
    await keys.remove(second)
    expect([await create({ owner }), await create({ owner })].every((each) => each !== undefined)).toBe(true)
    expect(await create({ owner })).toBeUndefined()
  })

  it('X-12: a process that dies in the middle takes no place with it, and keeps nobody waiting', async () => {
    const { keys, locks, create } = await openInstance()
    const owner = 'acct_4'
    for (let i = 0; i < MOST - 1; i++) await keys.create({ owner })
    // One that holds the lock and gets no further, until its connection is killed.
    const client = await locks.connect()
    client.on('error', () => {})
    await client.query(`set application_name = '${MARK}'`)
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`keys of ${owner}`])
    const waiting = create({ owner })
    await locks.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [MARK])
    expect(await waiting).toBeDefined()
    expect(await create({ owner })).toBeUndefined()
    client.release(true)
  })

  it('X-12: what is wrong with a key is told, and ends the lock', async () => {
    const { create } = await openInstance()
    await expect(create({ owner: 'acct_5', name: '' })).rejects.toMatchObject({ code: 'INPUT' })
    expect(await create({ owner: 'acct_5' })).toBeDefined()
  })
})

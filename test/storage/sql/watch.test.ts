import { createApiKeys } from 'keyward'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { migrate, type SqlListener, sqlStore } from '../../../src/storage/sql.ts'
import { storeChecks } from '../../../src/testing/store-checks.ts'
import { type Postgres, startPostgres } from '../../support/postgres.ts'
import { storedKey } from '../stored-key.ts'
import { connect } from './databases.ts'

let server: Postgres
let kysely: ReturnType<typeof connect>

beforeAll(async () => {
  server = await startPostgres()
  kysely = connect({ engine: 'PostgreSQL', connection: { ...server.connection } })
  await migrate(kysely)
}, 60_000)
afterAll(async () => {
  await kysely?.destroy()
  await server?.end()
})

const listen = () => new pg.Client(server.connection)

/** What a store hears, until the test ends. */
async function hearing(make: () => SqlListener = listen) {
  const heard: string[] = []
  const stop = await sqlStore(kysely, { listen: make }).watch?.((id) => void heard.push(id))
  if (stop === undefined) throw new Error('there is no watch')
  onTestFinished(stop)
  return { heard, stop }
}

describe('over PostgreSQL with listen, sqlStore', () => {
  for (const { id, name, run } of storeChecks(() => sqlStore(kysely, { listen }))) {
    if (id.startsWith('watch-')) it.concurrent(name, async () => expect(await run()).toBeUndefined())
  }

  it('has watch, and without listen it has not', () => {
    expect(sqlStore(kysely, { listen }).watch).toBeTypeOf('function')
    expect(sqlStore(kysely).watch).toBeUndefined()
  })

  it('C-12: hears of every kind of change that any process made, whether that listens or not', async () => {
    const { heard } = await hearing()
    expect(heard).toEqual(['*'])
    const store = sqlStore(kysely)
    const [one, two] = [storedKey(), storedKey({ id: "a'b\0🔑" })]
    await store.insert(one)
    await store.insert(two)
    await store.replace({ ...one, version: 8 }, 7)
    await store.replace({ ...one, version: 9 }, 7)
    await store.remove(two.id)
    await store.remove(two.id)
    await store.revokeWhere?.({ prefixes: ['nobody_'] }, 5)
    await store.touch?.([{ id: one.id, at: 5, uses: 1 }])
    await store.revokeWhere?.({ prefixes: ['agk_'] }, 5)
    await expect.poll(() => heard).toEqual(['*', one.id, two.id, '*'])
  })

  it('tells once of a line that is lost, and again when it is lost once more', async () => {
    const heard: string[] = []
    const onFault = vi.fn()
    const stop = await sqlStore(kysely, { listen }).watch?.((id) => void heard.push(id), onFault)
    const cut = () =>
      sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`.execute(kysely)
    for (const times of [1, 2]) {
      await cut()
      await expect.poll(() => heard.length).toBe(times + 1)
      expect(onFault).toHaveBeenCalledTimes(times)
    }
    expect(onFault.mock.calls[0]?.[0]).toMatchObject({ code: 'STORE', message: expect.stringContaining('no changes') })
    await stop?.()
    expect(onFault).toHaveBeenCalledTimes(2)
  })

  it('C-13: hears once of a bulk change of many keys', async () => {
    const store = sqlStore(kysely)
    for (let at = 0; at < 50; at++) await store.insert(storedKey({ owner: 'many' }))
    const { heard } = await hearing()
    expect(await store.revokeWhere?.({ prefixes: ['agk_'], owner: 'many' }, 5)).toBe(50)
    const last = storedKey()
    await store.insert(last)
    await store.remove(last.id)
    await expect.poll(() => heard).toEqual(['*', '*', last.id])
  })

  it('hears nothing of a change that was refused or undone', async () => {
    const store = sqlStore(kysely)
    const key = storedKey({ uniqueName: 'taken' })
    const other = storedKey()
    await store.insert(key)
    await store.insert(other)
    const { heard } = await hearing()
    await expect(store.replace({ ...other, version: 8, uniqueName: 'taken' }, 7)).rejects.toMatchObject({
      code: 'CONFLICT',
    })
    await store.remove(key.id)
    await expect.poll(() => heard).toEqual(['*', key.id])
  })

  it('C-05: says that anything may have changed each time it has begun to listen again', async () => {
    const { heard } = await hearing()
    for (let round = 2; round < 5; round++) {
      await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`.execute(kysely)
      await expect.poll(() => heard.length, { timeout: 10_000 }).toBe(round)
    }
    expect(new Set(heard)).toEqual(new Set(['*']))
    const key = storedKey()
    const store = sqlStore(kysely)
    await store.insert(key)
    await store.remove(key.id)
    await expect.poll(() => heard.at(-1)).toBe(key.id)
  })

  it('C-05: listens again when a server that was killed is back', async () => {
    const { heard } = await hearing()
    await server.kill()
    await server.start()
    await expect.poll(() => heard.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(2)
    expect(heard.at(-1)).toBe('*')
  })

  it('makes another line where one has fallen silent, as one that a firewall has forgotten', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const made: { asked: string[]; ended: boolean }[] = []
    const quiet = (): SqlListener => {
      const line = { asked: [] as string[], ended: false }
      made.push(line)
      return {
        connect: async () => {},
        query: (text) => {
          line.asked.push(text)
          return made.length === 1 && text === 'SELECT 1' ? new Promise(() => {}) : Promise.resolve()
        },
        on: () => {},
        end: async () => {
          line.ended = true
        },
      }
    }
    const [heard, onFault] = [[] as string[], vi.fn()]
    const stop = await sqlStore(kysely, { listen: quiet }).watch?.((id) => void heard.push(id), onFault)
    await vi.advanceTimersByTimeAsync(10_100)
    expect([made.length, made[0]?.ended, onFault.mock.calls.length]).toEqual([2, true, 1])
    await vi.advanceTimersByTimeAsync(20_000)
    expect(made.map(({ asked }) => asked.length)).toEqual([3, 5])
    expect(heard).toEqual(['*', '*'])
    await stop?.()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(made.map(({ asked }) => asked.length)).toEqual([3, 5])
  })

  it('C-07: passes on what others send on the channel only as a hint, and not what is no id', async () => {
    const { heard } = await hearing()
    const send = (text: string) => sql`SELECT pg_notify('keyward_changes', ${text})`.execute(kysely)
    for (const text of ['', 'x'.repeat(513), 'x'.repeat(7_999), '{"forged":true}', 'k1', 'k1 ']) await send(text)
    await sql`SELECT pg_notify('other_changes', 'k2')`.execute(kysely)
    await send('last')
    await expect.poll(() => heard.at(-1)).toBe('last')
    expect(heard).toEqual(['*', '{"forged":true}', 'k1', 'k1 ', 'last'])
  })

  it('hears nothing more once it was stopped or closed, both harmless twice, and leaves no connection', async () => {
    const listeners = async () => {
      const { rows } = await sql`SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`.execute(kysely)
      return rows.length
    }
    const before = await listeners()
    const { heard, stop } = await hearing()
    const store = sqlStore(kysely, { listen })
    await store.watch?.((id) => void heard.push(id))
    await stop()
    await stop()
    await store.close?.()
    await store.close?.()
    await expect.poll(listeners).toBe(before)
    const key = storedKey()
    await sqlStore(kysely).insert(key)
    await sqlStore(kysely).remove(key.id)
    expect(heard).toEqual(['*', '*'])
    await expect(store.watch?.(() => {})).rejects.toMatchObject({ code: 'STORE' })
  })

  it('throws STORE where it cannot listen, and shows neither user nor address', async () => {
    const nowhere = () => new pg.Client({ ...server.connection, port: 1, user: 'Zw4kM' })
    const watched = sqlStore(kysely, { listen: nowhere }).watch?.(() => {})
    await expect(watched).rejects.toMatchObject({ code: 'STORE', message: 'PostgreSQL: cannot listen for changes' })
  })

  it('C-01: makes another process obey long before maxLag, with no limit that asks the store', async () => {
    const options = { prefix: 'agk_', cache: { maxLag: '1h' }, storeTimeout: '5s' } as const
    const one = createApiKeys({ ...options, store: sqlStore(kysely) })
    const listener = sqlStore(kysely, { listen })
    const two = createApiKeys({ ...options, store: listener })
    const { key, record } = await one.create({ owner: 'acct_1' })
    // Its first '*' has come when a change of another key is obeyed.
    await expect.poll(async () => (await two.verify(key)).ok).toBe(true)
    await one.disable(record.id)
    await expect.poll(async () => (await two.verify(key)).ok).toBe(false)
    await one.enable(record.id)
    await expect.poll(async () => (await two.verify(key)).ok).toBe(true)
    await one.revoke(record.id, { reason: 'leaked' })
    await expect.poll(async () => (await two.verify(key)).ok).toBe(false)
    await one.close()
    await two.close()
    await listener.close?.()
  })

  it.each([5, 'postgres://', {}, null])('refuses %j as listen, and shows it', (value) => {
    const refused = expect.objectContaining({ code: 'CONFIG', issues: [expect.objectContaining({ path: 'listen' })] })
    expect(() => sqlStore(kysely, { listen: value as never })).toThrow(refused)
  })

  it('refuses listen over another database', () => {
    const other = connect({ engine: 'SQLite', file: ':memory:' })
    const refused = { code: 'CONFIG', message: 'listen is for PostgreSQL alone: SQLite has no way to tell of changes' }
    expect(() => sqlStore(other, { listen })).toThrow(expect.objectContaining(refused))
  })
})

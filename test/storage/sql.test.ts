import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KeyStore, ListPage } from '../../src/model/store.ts'
import { migrate, sqlStore } from '../../src/storage/sql.ts'
import { storeChecks } from '../../src/testing/store-checks.ts'
import { connect, ENGINES, type Prepared, prepare } from './sql/databases.ts'
import { NONSENSE, storedKey } from './stored-key.ts'

const WINDOWS = [
  { name: 'minute', limit: 5, ms: 60_000 },
  { name: 'day', limit: 500, ms: 86_400_000 },
]
const SPEND = { windows: WINDOWS, cost: 2 }
const PREFIX = { prefixes: ['agk_'], limit: 50 }

describe.each(ENGINES)('over %s, sqlStore', (engine) => {
  let prepared: Prepared
  let kysely: ReturnType<typeof connect>
  let count = 0

  beforeAll(async () => {
    prepared = await prepare(engine)
    kysely = connect(prepared.target)
    await migrate(kysely)
  }, 60_000)
  afterAll(async () => {
    await kysely?.destroy()
    await prepared?.end()
  })

  /** An empty store, in tables of its own. */
  async function emptyStore(): Promise<{ store: KeyStore; options: { readonly prefix: string } }> {
    const options = { prefix: `empty${++count}_` }
    await migrate(kysely, options)
    return { store: sqlStore(kysely, options), options }
  }

  describe('keeps the storage contract', () => {
    for (const check of storeChecks(() => sqlStore(kysely))) {
      // Without `listen` there is no watch: sql-watch.test.ts has one.
      const answer = check.id.startsWith('watch-') ? 'absent' : undefined
      it.concurrent(check.name, async () => expect(await check.run()).toBe(answer))
    }
  })

  it('has every verb but watch', () => {
    const { watch, ...verbs } = sqlStore(kysely)
    expect(watch).toBeUndefined()
    expect(Object.keys(verbs).sort()).toEqual([
      'close',
      'find',
      'insert',
      'lease',
      'list',
      'move',
      'note',
      'notes',
      'remove',
      'replace',
      'revokeWhere',
      'take',
      'touch',
    ])
  })

  it('finds everything again through another connection', async () => {
    const { store, options } = await emptyStore()
    const key = storedKey({ uniqueName: 'acct_1 n', metadata: { a: [1] }, revokedReason: 'r' })
    await store.insert(key)
    await store.touch?.([{ id: key.id, at: 5, uses: 2 }])
    await store.take?.(key.id, key.version, SPEND, 1_000)
    const other = connect(prepared.target)
    const second = sqlStore(other, options)
    expect(await second.find(key.id)).toEqual({ ...key, lastUsedAt: 5, uses: 2 })
    expect(await second.take?.(key.id, key.version, SPEND, 1_001)).toMatchObject({
      ok: true,
      readings: [{ remaining: 1 }, { remaining: 496 }],
    })
    await expect(second.insert(storedKey({ uniqueName: 'acct_1 n' }))).rejects.toMatchObject({ code: 'CONFLICT' })
    await other.destroy()
  })

  it('answers nothing of its own beside the key', async () => {
    const { store } = await emptyStore()
    const key = storedKey()
    await store.insert(key)
    expect(Object.keys((await store.find(key.id)) ?? {}).sort()).toEqual(Object.keys(key).sort())
  })

  it('keeps numbers above 2^31 and up to 2^53 as they are', async () => {
    const { store } = await emptyStore()
    const most = Number.MAX_SAFE_INTEGER
    const key = storedKey({ version: most - 1, createdAt: most, updatedAt: most - 2, revokedAt: 2 ** 40 + 1 })
    await store.insert(key)
    await store.touch?.([{ id: key.id, at: most, uses: 2 ** 33 + 1 }])
    expect(await store.find(key.id)).toEqual({ ...key, lastUsedAt: most, uses: 2 ** 33 + 1 })
    const account = { account: `${key.id}:1`, opening: { amount: most - 5, at: 1_767_225_600_000 } }
    expect(await store.move?.({ ...account, add: 5 }, 1)).toEqual({ balance: most })
    expect(await store.replace({ ...key, version: most }, most - 1)).toBe(true)
    expect(await store.find(key.id)).toMatchObject({ version: most })
  })

  it('R-09: keeps apart what differs in case, blanks, a NUL, a control character, normal form or half an emoji', async () => {
    const { store } = await emptyStore()
    const texts = ['A', 'a', 'a ', ' a', 'a\0', 'a\0b', 'a\u0001', 'a\u00010000', 'a\u00010001', 'a\ud83d', 'a\ud83e']
    texts.push('a\ud83d\ude00', 'a\ufffd', '\u00e5', 'a\u030a', 'ß', 'ss', 'A/../B', 'A%2f..%2fB')
    const keys = texts.map((id) =>
      storedKey({ id, owner: id, resource: id, uniqueName: id, name: id, revokedReason: id }),
    )
    for (const key of keys) await store.insert(key)
    for (const key of keys) {
      expect(await store.find(key.id)).toEqual(key)
      expect(await store.list({ ...PREFIX, owner: key.owner })).toEqual({ items: [key] })
      expect(await store.list({ ...PREFIX, resource: key.owner })).toEqual({ items: [key] })
    }
    const seen: string[] = []
    let page: ListPage = { items: [] }
    do {
      const { cursor } = page
      page = await store.list({ prefixes: ['agk_'], limit: 3, ...(cursor !== undefined && { cursor }) })
      seen.push(...page.items.map(({ id }) => id))
    } while (page.cursor !== undefined)
    expect(seen).toEqual(texts.toReversed())
  })

  it('lists keys of one moment in the same order as their ids have bytes, over pages', async () => {
    const { store } = await emptyStore()
    const ids = ['Zb', 'aZ', 'Za', 'zA', '0a', 'ab', 'aB', 'A_', 'A-', 'A0']
    for (const id of ids) await store.insert(storedKey({ id, createdAt: 5 }))
    const first = await store.list({ prefixes: ['agk_'], owner: 'acct_1', limit: 4 })
    const rest = await store.list({ prefixes: ['agk_'], owner: 'acct_1', limit: 50, cursor: first.cursor ?? '' })
    expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(ids.toSorted().toReversed())
    expect(rest.cursor).toBeUndefined()
  })

  it('lists nothing, and revokes nothing, of no prefix', async () => {
    const { store } = await emptyStore()
    await store.insert(storedKey())
    expect(await store.list({ prefixes: [], limit: 9 })).toEqual({ items: [] })
    expect(await store.revokeWhere?.({ prefixes: [] }, 5)).toBe(0)
  })

  it('R-19: changes no other row by any verb', async () => {
    const { store, options } = await emptyStore()
    const [one, other] = [storedKey({ id: 'k1' }), storedKey({ id: 'k1x', owner: 'acct_2' })]
    for (const key of [one, other]) {
      await store.insert(key)
      await store.touch?.([{ id: key.id, at: 5, uses: 1 }])
      const credits = {
        account: `${key.id}:1`,
        opening: { amount: 9, at: 1 },
        amount: 2,
        hold: { id: 'h', until: 9e12 },
      }
      await store.take?.(key.id, key.version, { ...SPEND, credits }, Date.now())
    }
    const rowsOf = async () => {
      const { prefix } = options
      const keys = await sql`SELECT * FROM ${sql.table(`${prefix}keys`)} WHERE id = ${'k1x'}`.execute(kysely)
      const held = await sql`SELECT * FROM ${sql.table(`${prefix}holds`)} WHERE account = ${'k1x:1'}`.execute(kysely)
      return [keys.rows, held.rows].map((rows) => rows.map((row) => JSON.stringify(row)))
    }
    const before = await rowsOf()
    const credit = { account: 'k1:1', opening: { amount: 9, at: 1 } }
    await store.touch?.([{ id: 'k1', at: 9, uses: 1 }])
    await store.take?.('k1', one.version, { ...SPEND, credits: { ...credit, amount: 1 } }, Date.now())
    await store.move?.({ ...credit, settle: { id: 'h', amount: 1, until: 9e12 } }, Date.now())
    await store.replace({ ...one, version: 8, name: 'other' }, 7)
    await store.revokeWhere?.({ prefixes: ['agk_'], owner: 'acct_1' }, 50)
    await store.remove('k1')
    expect(before.map((rows) => rows.length)).toEqual([1, 1])
    expect(await rowsOf()).toEqual(before)
  })

  it('calls a record or counters that are damaged by their id, without what stands there', async () => {
    const { store, options } = await emptyStore()
    const keys = sql.table(`${options.prefix}keys`)
    const key = storedKey({ hash: 'sha256$secret' })
    await store.insert(key)
    for (const data of ['{"hash":"sha256$secret"', 'null', '[]', '"sha256$secret"', '']) {
      await sql`UPDATE ${keys} SET data = ${data}`.execute(kysely)
      await expect(store.find(key.id)).rejects.toMatchObject(storeError(`the record of ${key.id} is damaged`))
    }
    await sql`UPDATE ${keys} SET windows = ${'[["minute",60000,0,null]]'}`.execute(kysely)
    await expect(store.take?.(key.id, key.version, SPEND, 1)).rejects.toMatchObject(
      storeError(`the counters of ${key.id} are damaged`),
    )
  })

  const half = Buffer.from('[0.5,"a"]').toString('base64url')

  it.each([...NONSENSE, half])('refuses the cursor %j with INPUT', async (cursor) => {
    const store = sqlStore(kysely)
    const refused = { code: 'INPUT', issues: [expect.objectContaining({ path: 'cursor' })] }
    await expect(store.list({ ...PREFIX, cursor })).rejects.toMatchObject(refused)
    await expect(store.notes?.({ owner: 'o', since: 0, limit: 5, cursor })).rejects.toMatchObject(refused)
  })

  it('refuses with INPUT what is longer than its column, in place of cutting it off', async () => {
    const { store } = await emptyStore()
    const long = { id: 513, prefix: 129, owner: 1_025, resource: 1_025, uniqueName: 2_049 }
    for (const [name, length] of Object.entries(long)) {
      const refused = store.insert(storedKey({ [name]: 'x'.repeat(length) }))
      await expect(refused).rejects.toMatchObject({ code: 'INPUT' })
    }
    const whole = storedKey({ id: 'é'.repeat(256), owner: '€'.repeat(341), uniqueName: '🔑'.repeat(512) })
    await store.insert(whole)
    expect(await store.find(whole.id)).toEqual(whole)
    expect(await store.list(PREFIX)).toEqual({ items: [whole] })
  })

  it('does not open an account for a take that is stale, or of a key that is not there', async () => {
    const { store, options } = await emptyStore()
    const key = storedKey()
    await store.insert(key)
    const spend = {
      windows: [],
      cost: 1,
      credits: { account: `${key.id}:1`, opening: { amount: 5, at: 1 }, amount: 1 },
    }
    expect(await store.take?.(key.id, 3, spend, 1)).toEqual({ stale: key })
    expect(await store.take?.('nobody', 3, spend, 1)).toEqual({ stale: undefined })
    expect((await sql`SELECT * FROM ${sql.table(`${options.prefix}accounts`)}`.execute(kysely)).rows).toEqual([])
  })

  it('gives callers that ask at once each their own answer: served, full, stale, wrong', async () => {
    const { store } = await emptyStore()
    const key = storedKey()
    await store.insert(key)
    const ask = async (version: number, cost: number) => {
      const spend = { windows: [{ name: 'w', limit: 3, ms: 3_600_000 }], cost }
      try {
        const taken = await store.take?.(key.id, version, spend, Date.now())
        return taken?.ok ?? (taken && 'stale' in taken ? 'stale' : 'nothing')
      } catch (error) {
        return (error as { code?: string }).code
      }
    }
    const answers = await Promise.all([
      ask(7, 1),
      ask(7, 1),
      ask(6, 1),
      ask(7, Number.NaN),
      ask(7, 2),
      ask(7, 1),
      ask(7, 1),
    ])
    expect(answers).toEqual([true, true, 'stale', 'INPUT', false, true, false])
  })

  it('throws STORE after close, which is harmless twice and leaves the Kysely open', async () => {
    const { store } = await emptyStore()
    await store.close?.()
    await store.close?.()
    const closed = storeError('the SQL store is closed')
    await expect(store.find('a')).rejects.toMatchObject(closed)
    await expect(store.insert(storedKey())).rejects.toMatchObject(closed)
    await expect(store.take?.('a', 1, SPEND, 1)).rejects.toMatchObject(closed)
    await sql`SELECT 1`.execute(kysely)
  })
})

function storeError(message: string) {
  return { code: 'STORE', message }
}

import { afterEach, describe, expect, it, vi } from 'vitest'
import type { KeyStore } from '../../src/model/store.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { storeChecks } from '../../src/testing/index.ts'
import { BROKEN_CREDITS } from './broken-credits.ts'
import { BROKEN_LEASES } from './broken-leases.ts'
import { BROKEN_LISTS } from './broken-lists.ts'
import { BROKEN_LONGEST } from './broken-longest.ts'
import { BROKEN_METERS } from './broken-meters.ts'
import { BROKEN_MOVES } from './broken-moves.ts'
import { BROKEN_NAMES } from './broken-names.ts'
import { BROKEN_NOTES } from './broken-notes.ts'
import { BROKEN_RECORDS } from './broken-records.ts'
import { broken, type Verbs } from './broken-store.ts'
import { BROKEN_TAKES } from './broken-takes.ts'
import { BROKEN_WATCHES, watched } from './broken-watches.ts'

describe('storeChecks', () => {
  it('have an id and a name of their own each', () => {
    const checks = storeChecks(() => memoryStore())
    for (const part of ['id', 'name'] as const) {
      expect(new Set(checks.map((check) => check[part])).size).toBe(checks.length)
    }
  })

  it('make the store once, when the first of them runs', async () => {
    const make = vi.fn(() => memoryStore())
    const checks = storeChecks(make)
    expect(make).not.toHaveBeenCalled()
    await Promise.all(checks.map((check) => check.run()))
    await checks[0]?.run()
    expect(make).toHaveBeenCalledTimes(1)
  })

  it.each([
    ...BROKEN_RECORDS,
    ...BROKEN_NAMES,
    ...BROKEN_LISTS,
    ...BROKEN_METERS,
    ...BROKEN_TAKES,
    ...BROKEN_CREDITS,
    ...BROKEN_MOVES,
    ...BROKEN_LEASES,
    ...BROKEN_NOTES,
    ...BROKEN_LONGEST,
  ])('find a store in which $mistake', async (store) => {
    const failures = await failuresOf(broken(store), store.found)
    expect(Object.keys(failures).sort()).toEqual([...store.found].sort())
  })

  it.each([
    ['list', (good: Verbs): Partial<KeyStore> => ({ list: (query) => good.list({ ...query, limit: 1 }) })],
    ['notes', (good: Verbs): Partial<KeyStore> => ({ notes: (query) => good.notes({ ...query, limit: 1 }) })],
  ] as const)('pass a store in which %s answers short pages', async (_, change) => {
    expect(await failuresOf(broken({ mistake: '', found: [], change }))).toEqual({})
  })

  it('pass a store with watch, which memory has not', async () => {
    expect(await failuresOf(broken({ mistake: '', found: [], change: watched }))).toEqual({})
  })

  it('resolve with absent where the store has not got the verb', async () => {
    const { find, insert, replace, remove, list } = memoryStore()
    const five: KeyStore = { find, insert, replace, remove, list }
    const answers = await Promise.all(storeChecks(() => five).map(async ({ id, run }) => [id, await run()] as const))
    const absent = answers.filter(([, answer]) => answer === 'absent').map(([id]) => id)
    expect(absent).toContain('touch-shows')
    expect(absent).toContain('take-exact')
    expect(absent).toContain('lease-counts')
    expect(absent).toContain('credits-open')
    expect(absent).toContain('move-hold')
    expect(absent).toContain('revoke-writes')
    expect(absent).toContain('note-shows')
    expect(absent).toContain('watch-stops')
    expect(absent).not.toContain('insert-find')
  })

  it('resolve with absent where the store has not got one of two verbs', async () => {
    const { take: _, ...untaken } = memoryStore()
    const { revokeWhere: __, ...one } = memoryStore()
    for (const store of [untaken, one]) expect(await checkOf(store, 'revoke-beats-take').run()).toBe('absent')
    expect(await checkOf(memoryStore(), 'revoke-beats-take').run()).toBeUndefined()
  })

  it('say what to mend, what came and what should have come', async () => {
    const failures = await failuresOf({ ...memoryStore(), find: () => null as unknown as undefined }, ['find-unknown'])
    expect(failures['find-unknown']).toBe(
      'answer undefined, not null, when there is no such key (got null, expected undefined)',
    )
  })

  it('keep the methods of a store on their object', async () => {
    const good = memoryStore()
    class Store {
      find(this: Store, id: string) {
        if (!(this instanceof Store)) throw new Error('called without its object')
        return good.find(id)
      }
    }
    const store = Object.assign(new Store(), { ...good, find: Store.prototype.find })
    expect(await failuresOf(store)).toEqual({})
  })
})

describe('a check', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('fails after five seconds, naming the verb that did not answer', async () => {
    vi.useFakeTimers()
    const stuck = () => new Promise<never>(() => {})
    const check = checkOf({ ...memoryStore(), replace: stuck }, 'replace-version')
    const failed = expect(check.run()).rejects.toThrow('replace() did not answer within 5 s')
    await vi.advanceTimersByTimeAsync(5_000)
    await failed
  })

  it('fails after five seconds when the store cannot be made', async () => {
    vi.useFakeTimers()
    const [check] = storeChecks(() => new Promise<never>(() => {}))
    const failed = expect(check?.run()).rejects.toThrow('make() did not answer within 5 s')
    await vi.advanceTimersByTimeAsync(5_000)
    await failed
  })

  it.each(BROKEN_WATCHES)('finds a store in which $mistake, and waits no longer than it may', async (store) => {
    vi.useFakeTimers()
    const ids = storeChecks(() => memoryStore()).map(({ id }) => id)
    // Each over a store of its own: what one does is told to the others.
    const runs = ids.filter((id) => id.startsWith('watch-')).map((id) => failuresOf(broken(store), [id]))
    await vi.advanceTimersByTimeAsync(4_900)
    const failures: Record<string, string> = Object.assign({}, ...(await Promise.all(runs)))
    expect(Object.keys(failures).sort()).toEqual([...store.found].sort())
    expect(Object.values(failures).join()).not.toContain('within 5 s')
  })

  it('leaves no timer behind', async () => {
    vi.useFakeTimers()
    await checkOf(memoryStore(), 'find-unknown').run()
    expect(vi.getTimerCount()).toBe(0)
  })
})

function checkOf(store: KeyStore, wanted: string) {
  const check = storeChecks(() => store).find(({ id }) => id === wanted)
  if (check === undefined) throw new Error(`no check ${wanted}`)
  return check
}

/** The message of every check that fails, by its id. */
async function failuresOf(store: KeyStore, only?: readonly string[]): Promise<Record<string, string>> {
  const failures: Record<string, string> = {}
  const checks = storeChecks(() => store).filter(({ id }) => only === undefined || only.includes(id))
  const runs = checks.map(async ({ id, run }) => {
    try {
      await run()
    } catch (error) {
      failures[id] = (error as Error).message
    }
  })
  await Promise.all(runs)
  return failures
}

import { createApiKeys, KeywardError, memoryStore, type UseMark } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createUsage } from '../../src/verify/usage.ts'
import { judged, listener } from '../support/outcome.ts'
import { deferred, kept, never, sabotagedStore, spiedStore, wrongSecretFor } from '../support/stores.ts'

function instance() {
  const [clock, spied, heard] = [fakeClock(), spiedStore(), listener()]
  const sabotaged = sabotagedStore(spied.store)
  const keys = createApiKeys({ prefix: 'us_', store: sabotaged.store, clock, onEvent: heard.onEvent, storeTimeout: 20 })
  const marks = () => spied.calls.filter(({ verb }) => verb === 'touch').map(({ args }) => args[0] as UseMark[])
  return { clock, spied, heard, sabotaged, keys, marks }
}

/** One key more was used than may wait. */
function ofMany() {
  const touched: (readonly UseMark[])[] = []
  const usage = createUsage({ touch: (marks) => void touched.push(marks) }, 20, () => {})
  const used = Array.from({ length: 100_001 }, (_, n) => ({ stored: { id: `k${n}` }, unwritten: undefined }))
  for (const known of used) usage.mark(known, 1)
  return { usage, touched, used }
}

describe('use marks', () => {
  it('are written together: a hundred keys in one call, each with its uses and the last of them', async () => {
    const { keys, clock, marks } = instance()
    const made = await Promise.all(Array.from({ length: 100 }, () => keys.create({ owner: 'acct_1' })))
    for (let round = 0; round < 3; round++) {
      for (const { key } of made) await keys.verify(key)
      clock.advance('1s')
    }
    expect(marks()).toEqual([])
    await keys.flush()
    const at = clock.now() - 1000
    expect(marks()).toHaveLength(1)
    const byId = new Map(marks()[0]?.map((mark) => [mark.id, mark]))
    for (const { record } of made) expect(byId.get(record.id)).toEqual({ id: record.id, at, uses: 3 })
    expect(byId.size).toBe(100)
  })

  it('show in the record after flush()', async () => {
    const { keys, clock } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    clock.advance('1h')
    for (let i = 0; i < 5; i++) await keys.verify(key)
    await keys.flush()
    expect(await keys.get(record.id)).toEqual({ ...record, uses: 5, lastUsedAt: '2026-01-01T01:00:00.000Z' })
    expect((await keys.list()).items[0]).toMatchObject({ uses: 5 })
  })

  it('are made of admissions alone', async () => {
    const { keys, marks } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1', limits: { minute: 0 } })
    const { key: wrong } = await wrongSecretFor(record.id, 'us_')
    for (const text of [key, wrong, 'us_x']) await keys.verify(text)
    await keys.verify(key, { scopes: ['a:read'] })
    await keys.flush()
    expect(marks()).toEqual([])
  })

  it('lie beside the record: neither its version nor its updatedAt changes', async () => {
    const { keys, spied, clock } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const before = await kept(spied.store, record.id)
    clock.advance('1h')
    await keys.verify(key)
    await keys.flush()
    expect(await kept(spied.store, record.id)).toEqual({ ...before, uses: 1, lastUsedAt: clock.now() })
  })

  it('of a key that was changed meanwhile are counted for it, and change nothing of it', async () => {
    const { keys, spied, marks } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    await keys.verify(key)
    await keys.update(record.id, { scopes: ['a:read'] })
    await keys.verify(key)
    await keys.revoke(record.id)
    const before = await kept(spied.store, record.id)
    await keys.flush()
    expect(marks()).toMatchObject([[{ id: record.id, uses: 2 }]])
    expect(await kept(spied.store, record.id)).toEqual({ ...before, uses: 2, lastUsedAt: expect.any(Number) })
  })

  it('D-21 of a key that was removed bring nothing back', async () => {
    const { keys, spied } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    await keys.verify(key)
    await keys.remove(record.id)
    await keys.flush()
    expect(await spied.store.find(record.id)).toBeUndefined()
    expect(await judged(keys, key)).toBe('invalid_key')
  })

  it('cannot delay: a store that never answers a touch holds up nobody', async () => {
    const { keys, sabotaged } = instance()
    const { key } = await keys.create({ owner: 'acct_1' })
    sabotaged.break('touch', never)
    await keys.verify(key)
    const flushing = keys.flush()
    expect(keys.verify(key)).toMatchObject({ ok: true })
    await flushing
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('redis://:hunter2@host is gone'))],
    [
      'throws',
      () => {
        throw new Error('redis://:hunter2@host is gone')
      },
    ],
  ] as const)('cannot fail: a touch that %s is a fault and nothing else, and is made good later', async (_, fault) => {
    const { keys, sabotaged, heard, marks } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    sabotaged.break('touch', fault)
    await keys.verify(key)
    await keys.flush()
    expect(await judged(keys, key)).toBe('admitted')
    await keys.flush()
    expect(heard.of('fault')).toMatchObject([{ code: 'touch' }, { code: 'touch' }])
    expect(JSON.stringify(heard.events)).not.toContain('hunter2')
    sabotaged.break('touch', undefined)
    await keys.verify(key)
    await keys.flush()
    expect(marks().at(-1)).toMatchObject([{ id: record.id, uses: 3 }])
  })

  it('cannot fail: a touch that never answers is a fault and nothing else', async () => {
    const { keys, sabotaged, heard } = instance()
    const { key } = await keys.create({ owner: 'acct_1' })
    sabotaged.break('touch', never)
    for (let round = 0; round < 2; round++) {
      expect(await judged(keys, key)).toBe('admitted')
      await keys.flush()
    }
    expect(heard.of('fault')).toMatchObject([
      { code: 'touch', message: expect.stringContaining('no answer') },
      { code: 'touch', message: expect.stringContaining('was not asked') },
    ])
  })

  it('that were late are not written again: a store that is slow counts a use once', async () => {
    const { keys, sabotaged, spied } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const held = deferred()
    sabotaged.break('touch', async (ask) => {
      await held.promise
      return ask()
    })
    await keys.verify(key)
    await keys.flush()
    held.resolve()
    for (let round = 0; round < 3; round++) await keys.flush()
    expect(await kept(spied.store, record.id)).toMatchObject({ uses: 1 })
  })

  it('of which the store itself says that they may have been written are not written again', async () => {
    const { keys, sabotaged, marks } = instance()
    const { key } = await keys.create({ owner: 'acct_1' })
    const unclear = new KeywardError('STORE', 'the connection broke', { outcome: 'unknown' })
    sabotaged.break('touch', () => Promise.reject(unclear))
    await keys.verify(key)
    await keys.flush()
    sabotaged.break('touch', undefined)
    await keys.verify(key)
    await keys.flush()
    expect(marks()).toMatchObject([[{ uses: 1 }]])
  })

  it('are never written by two at once: what is used while a write hangs is written when that has really ended', async () => {
    const { keys, clock, spied, sabotaged } = instance()
    const other = createApiKeys({ prefix: 'us_', store: sabotaged.store, clock, storeTimeout: 20 })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const held = deferred()
    let writes = 0
    sabotaged.break('touch', async (ask) => {
      writes++
      await held.promise
      return ask()
    })
    for (let round = 0; round < 3; round++) {
      await Promise.all([keys.verify(key), other.verify(key)])
      await Promise.all([keys.flush(), other.flush()])
    }
    expect(writes).toBe(1)
    held.resolve()
    for (const instance of [keys, other]) await instance.close()
    expect(await kept(spied.store, record.id)).toMatchObject({ uses: 6 })
  })

  it('are counted once while a write is under way', async () => {
    const { keys, sabotaged, marks } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const [begun, held] = [deferred(), deferred()]
    sabotaged.break('touch', async (ask) => {
      begun.resolve()
      await held.promise
      return ask()
    })
    await keys.verify(key)
    const first = keys.flush()
    await begun.promise
    await keys.verify(key)
    await keys.verify(key)
    const second = keys.flush()
    held.resolve()
    await Promise.all([first, second])
    expect(marks()).toMatchObject([[{ uses: 1 }], [{ uses: 2 }]])
    expect((await keys.get(record.id))?.uses).toBe(3)
  })

  it('that a write could not write are written by close(), though it was under way', async () => {
    const { keys, sabotaged, marks } = instance()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const held = deferred()
    sabotaged.break('touch', async () => {
      await held.promise
      throw new Error('gone')
    })
    await keys.verify(key)
    const flushed = keys.flush()
    const closed = keys.close()
    sabotaged.break('touch', undefined)
    held.resolve()
    await Promise.all([flushed, closed])
    expect(marks()).toMatchObject([[{ id: record.id, uses: 1 }]])
  })

  it('of a key for which there was no room are written from its next use on', async () => {
    const { usage, touched, used } = ofMany()
    const last = used.at(-1) as (typeof used)[number]
    await usage.flush()
    usage.mark(last, 2)
    await usage.flush()
    expect(touched.at(-1)).toEqual([{ id: last.stored.id, at: 2, uses: 1 }])
  })

  it('are not missed by a store that has no touch', async () => {
    const { touch: _, ...store } = memoryStore()
    const keys = createApiKeys({ prefix: 'us_', store })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key)).toBe('admitted')
    await keys.flush()
    await keys.close()
    expect(await keys.get(record.id)).toMatchObject({ uses: 0, lastUsedAt: undefined })
  })
})

describe('use marks and time', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('are written within a second by themselves', async () => {
    const { keys, marks } = instance()
    const { key } = await keys.create({ owner: 'acct_1' })
    await keys.verify(key)
    await vi.advanceTimersByTimeAsync(1000)
    expect(marks()).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(marks()).toHaveLength(1)
    await keys.verify(key)
    await vi.advanceTimersByTimeAsync(1000)
    expect(marks()).toHaveLength(2)
  })

  it('are tried again after a failure, without being asked', async () => {
    const { keys, sabotaged, marks } = instance()
    const { key } = await keys.create({ owner: 'acct_1' })
    sabotaged.break('touch', () => Promise.reject(new Error('gone')))
    await keys.verify(key)
    await vi.advanceTimersByTimeAsync(1000)
    sabotaged.break('touch', undefined)
    await vi.advanceTimersByTimeAsync(2000)
    expect(marks()).toMatchObject([[{ uses: 1 }]])
  })

  it.each(['close', 'asyncDispose'])('%s writes what is pending and leaves no timer', async (how) => {
    const { keys, marks } = instance()
    const { key } = await keys.create({ owner: 'acct_1' })
    await keys.verify(key)
    if (how === 'close') await keys.close()
    else await keys[Symbol.asyncDispose]()
    expect(marks()).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('do not wait for a write that has ended without a word, as one of a Worker does with its request', async () => {
    const touch = vi.fn(async () => {}).mockReturnValueOnce(never())
    const usage = createUsage({ touch }, 20, () => {})
    const known = { stored: { id: 'k' }, unwritten: undefined }
    usage.mark(known, 1)
    void usage.flush()
    for (let at = 2; at < 5; at++) {
      usage.mark(known, at)
      const flushed = usage.flush()
      await vi.advanceTimersByTimeAsync(20)
      await flushed
    }
    expect(touch).toHaveBeenCalledTimes(4)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('wait for no write for ever: one that has not ended after a minute is not heard of again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { keys, sabotaged, marks } = instance()
    const { key } = await keys.create({ owner: 'acct_1' })
    sabotaged.break('touch', never)
    await keys.verify(key)
    await vi.advanceTimersByTimeAsync(2_000)
    sabotaged.break('touch', undefined)
    await keys.verify(key)
    await vi.advanceTimersByTimeAsync(50_000)
    expect(marks()).toEqual([])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(marks()).toMatchObject([[{ uses: 1 }]])
  })

  it('of a request that ends after close() are written once, and let go where the store is closed, too', async () => {
    const { keys, heard, sabotaged, spied } = instance()
    const { key } = await keys.create({ owner: 'acct_1' })
    await keys.close()
    await keys.verify(key)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(spied.asked('touch')).toBe(1)
    sabotaged.break('touch', () => Promise.reject(new Error('closed')))
    await keys.verify(key)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(heard.of('fault')).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('close() leaves no timer though the store fails, and can be called twice', async () => {
    const { keys, sabotaged } = instance()
    const { key } = await keys.create({ owner: 'acct_1' })
    await keys.verify(key)
    sabotaged.break('touch', () => Promise.reject(new Error('gone')))
    await keys.close()
    await keys.close()
    expect(vi.getTimerCount()).toBe(0)
  })
})

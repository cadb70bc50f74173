import { type ApiKeysOptions, createApiKeys, type KeyStore, type Limits, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { accessIn, codeOf, failure, judged, listener, refusalIn } from '../support/outcome.ts'
import { distantStore, sabotagedStore, spiedStore, wrapStore } from '../support/stores.ts'

const MANY: Limits = { minute: 100_000 }

interface Setting {
  readonly limits?: Limits
  readonly store?: KeyStore
  readonly lease?: number
  readonly options?: Partial<ApiKeysOptions>
}

/** An instance that leases, a key of it, and what its store was asked. */
async function leasing({ limits = MANY, store: inner = memoryStore(), lease = 100, options = {} }: Setting = {}) {
  const clock = fakeClock()
  const { store: spied, asked, calls, forget } = spiedStore(inner)
  const store = inner.move === undefined ? spied : { ...spied, move: inner.move }
  const another = () =>
    // A store of its own, as in another process: nothing but what the store tells reaches it.
    createApiKeys({ prefix: 'le_', store: { ...store }, clock, storeTimeout: '10s', limits: { lease }, ...options })
  const keys = another()
  const made = await keys.create({ owner: 'acct_1', limits })
  const id = made.record.id
  /** So many in a row, and how many of them were admitted. */
  const times = async (count: number, by = keys) => {
    let admitted = 0
    for (let n = 0; n < count; n++) if ((await judged(by, made.key)) === 'admitted') admitted++
    return admitted
  }
  /** What a process that leases nothing is told. */
  const plain = createApiKeys({ prefix: 'le_', store: inner, clock })
  const remaining = async () => accessIn(await plain.verify(made.key, { cost: 0 })).readings.map((r) => r.remaining)
  return { clock, keys, another, id, times, remaining, asked, calls, forget, ...made }
}

describe('a hot key is leased', () => {
  it('asks the store once for so many requests, and answers between without a promise', async () => {
    const { keys, key, times, asked, forget } = await leasing()
    expect(await times(200)).toBe(200)
    forget()
    expect(await times(10_000)).toBe(10_000)
    expect([asked('take'), asked('lease')]).toEqual([0, 100])
    expect(asked('find')).toBe(0)
    expect(keys.verify(key)).toMatchObject({ ok: true })
  })

  it('behind a network, too: all who come at once wait for one lease', async () => {
    const { keys, key, asked, forget, times } = await leasing({ store: distantStore() })
    await times(300)
    forget()
    const verdicts = await Promise.all(Array.from({ length: 5_000 }, () => keys.verify(key)))
    expect(new Set(verdicts.map(codeOf))).toEqual(new Set(['admitted']))
    expect([asked('take'), asked('lease')]).toEqual([0, 50])
  })

  it('ahead of time where it is used fast: no request waits while the next lease comes', async () => {
    const { keys, key, asked, forget, times } = await leasing({ store: distantStore() })
    await times(300)
    forget()
    let waited = 0
    for (let n = 0; n < 1_000; n++) {
      // One request with each turn of the loop, as they come over a network.
      await new Promise((resolve) => setImmediate(resolve))
      const verdict = keys.verify(key)
      if (verdict instanceof Promise) waited++
      expect(codeOf(await verdict)).toBe('admitted')
    }
    expect(waited).toBeLessThan(2)
    expect([asked('take'), asked('lease')]).toEqual([0, 10])
  })

  it('one after the other where it is used slowly: none is asked for that nobody needs', async () => {
    const { clock, asked, forget, times, keys, key } = await leasing()
    await times(300)
    clock.advance('1s')
    forget()
    for (let n = 0; n < 70; n++) {
      expect(await judged(keys, key)).toBe('admitted')
      clock.advance(10)
    }
    expect([asked('take'), asked('lease')]).toEqual([0, 1])
  })

  it('of which both are given back with a change of the key, and with the end of the instance', async () => {
    for (const end of ['revoke', 'close'] as const) {
      const { keys, id, times, remaining, another } = await leasing()
      await times(7 + 100 + 60)
      if (end === 'close') {
        await keys.close()
        expect(await remaining()).toEqual([100_000 - 167])
        continue
      }
      await keys.revoke(id)
      await keys.close()
      const { readings } = await another().usage(id)
      expect(readings.map((r) => r.remaining)).toEqual([100_000 - 167])
    }
  })

  it('whose first uses, and whose few, are taken one by one', async () => {
    const { clock, times, asked } = await leasing()
    for (let n = 0; n < 10; n++) {
      expect(await times(7)).toBe(7)
      clock.advance('3s')
    }
    expect([asked('take'), asked('lease')]).toEqual([70, 0])
  })

  it('and what is left of a limit shrinks one by one', async () => {
    const { keys, key, id } = await leasing({ limits: { minute: 1_000, hour: 5_000 } })
    const seen: (readonly number[])[] = []
    for (let n = 0; n < 600; n++) {
      const { readings, id: whose } = accessIn(await keys.verify(key))
      expect(whose).toBe(id)
      seen.push(readings.map(({ remaining }) => remaining))
    }
    expect(seen).toEqual(Array.from({ length: 600 }, (_, at) => [999 - at, 4_999 - at]))
  })

  it('up to its limit exactly, and not once more', async () => {
    for (const minute of [1, 10, 99, 100, 101, 1_000]) {
      const { times, keys, key } = await leasing({ limits: { minute, hour: 10_000 } })
      expect(await times(1_200)).toBe(minute)
      const { code, retryAfter = 0 } = refusalIn(await keys.verify(key))
      expect(code).toBe('rate_limited')
      expect(retryAfter).toBeGreaterThan(0)
      expect(retryAfter).toBeLessThanOrEqual(62)
    }
  })

  it('is marked as used as often as it was', async () => {
    const { keys, times, id } = await leasing()
    await times(1_234)
    await keys.flush()
    expect((await keys.get(id))?.uses).toBe(1_234)
  })

  it('by one request for several uses, where they are few', async () => {
    const { keys, key, asked, forget, remaining, times } = await leasing()
    await times(300)
    forget()
    const before = await remaining()
    let cost = 0
    for (let n = 0; n < 300; n++) {
      cost += n % 4
      expect(await judged(keys, key, { cost: n % 4 })).toBe('admitted')
    }
    expect(asked('lease')).toBeLessThan(8)
    expect(asked('take')).toBe(75)
    await keys.close()
    expect(Number(before) - Number(await remaining())).toBeLessThanOrEqual(cost)
    expect(await judged(keys, key, { cost: 100_001 })).toBe('rate_limited')
  })

  it('not where it has credits, and not the windows of a route', async () => {
    const { keys, key, asked, forget } = await leasing()
    const { key: paid } = await keys.create({ owner: 'acct_1', limits: MANY, credits: { remaining: 5_000 } })
    forget()
    for (let n = 0; n < 100; n++) expect(await judged(keys, paid)).toBe('admitted')
    for (let n = 0; n < 100; n++)
      expect(await judged(keys, key, { limits: { minute: 50 } })).toBe(n < 50 ? 'admitted' : 'rate_limited')
    expect([asked('take'), asked('lease')]).toEqual([200, 0])
  })

  it('once for two guards on a request, of which the second takes no more', async () => {
    const { keys, key, asked, forget, times } = await leasing()
    await times(300)
    forget()
    for (let n = 0; n < 100; n++) {
      const request = { rawHeaders: ['X-API-Key', key] }
      expect(await judged(keys, request)).toBe('admitted')
      expect(await judged(keys, request, { cost: n % 2 })).toBe('admitted')
    }
    expect([asked('take'), asked('lease')]).toEqual([0, 1])
  })

  it('while its second guard takes what exceeds the first', async () => {
    const { keys, key, times, remaining } = await leasing({ limits: { minute: 1_000 } })
    await times(100)
    const request = { rawHeaders: ['X-API-Key', key] }
    expect(await judged(keys, request)).toBe('admitted')
    expect(await judged(keys, request, { cost: 5 })).toBe('admitted')
    await keys.close()
    expect(await remaining()).toEqual([895])
  })
})

describe('a lease ends', () => {
  it('after a moment, by whichever clock: then the store is asked again, and told what was left', async () => {
    const { clock, times, calls, forget, remaining } = await leasing({ limits: { minute: 1_000 } })
    await times(50)
    for (const pass of [() => clock.advance(750), () => clock.set(clock.now() + 750)]) {
      forget()
      pass()
      expect(await times(1)).toBe(1)
      expect(calls.filter(({ verb }) => verb === 'lease')).toHaveLength(1)
    }
    expect(Number(await remaining())).toBeGreaterThan(800)
  })

  it('when the instance is closed: what was left is given back, and no more is leased', async () => {
    const { keys, times, remaining, asked, forget } = await leasing({
      limits: { minute: 1_000 },
      store: distantStore(),
    })
    expect(await times(100)).toBe(100)
    expect(Number(await remaining())).toBeLessThan(900)
    await keys.close()
    expect(await remaining()).toEqual([900])
    await keys.close()
    expect(await remaining()).toEqual([900])
    forget()
    expect(await times(50)).toBe(50)
    expect([asked('take'), asked('lease')]).toEqual([50, 0])
  })

  it('when the instance is closed while it is asked for', async () => {
    const { keys, key, times, remaining } = await leasing({ limits: { minute: 1_000 }, store: distantStore() })
    await times(40)
    const under = Promise.all(Array.from({ length: 60 }, () => keys.verify(key)))
    await keys.close()
    expect((await under).map(codeOf)).toEqual(Array(60).fill('admitted'))
    expect(await remaining()).toEqual([900])
  })

  it('by itself where nobody asks any more', async () => {
    const { clock, times, remaining } = await leasing({ limits: { minute: 1_000 } })
    await times(20)
    expect(Number(await remaining())).toBeLessThan(980)
    clock.advance(750)
    await expect.poll(remaining, { timeout: 4_000, interval: 20 }).toEqual([980])
  })

  it('with any change of its key in this process, at once', async () => {
    const { keys, key, id, times, remaining } = await leasing({ limits: { minute: 1_000 } })
    await times(100)
    await keys.update(id, { limits: { minute: 500 } })
    expect(await remaining()).toEqual([400])
    await times(50)
    await keys.disable(id)
    expect(await judged(keys, key)).toBe('disabled')
    await keys.enable(id)
    expect(await remaining()).toEqual([350])
    await times(50)
    await keys.revoke(id)
    expect(await judged(keys, key)).toBe('revoked')
  })

  it('with a change of its key by another process that is heard of', async () => {
    let tell: (id: string | '*') => void = () => {}
    const watch: KeyStore['watch'] = async (hear) => {
      tell = hear
      return async () => {}
    }
    const store = { ...memoryStore(), watch }
    const { keys, key, times, id } = await leasing({ store })
    const hearing = createApiKeys({ prefix: 'le_', store, clock: fakeClock(), limits: { lease: 100 } })
    await times(100, hearing)
    await keys.revoke(id)
    expect(await judged(hearing, key)).toBe('admitted')
    tell(id)
    expect(await judged(hearing, key)).toBe('revoked')
  })

  it('within maxLag of a change by another process that is not heard of', async () => {
    for (const maxLag of [100, 400, 5_000]) {
      const { clock, keys, another, key, id, times } = await leasing({ options: { cache: { maxLag } } })
      const deaf = another()
      await times(100, deaf)
      await keys.revoke(id)
      expect(await judged(deaf, key)).toBe('admitted')
      clock.advance(Math.min(maxLag, 1_000))
      expect(await judged(deaf, key)).toBe('revoked')
    }
  })

  it('with an age that counts from before it was asked for, however late the answer came', async () => {
    const clock = fakeClock()
    const inner = memoryStore()
    const slow = wrapStore(inner, async (verb, ask) => {
      const answer = await ask()
      if (verb === 'lease') clock.advance(749)
      return answer
    })
    const keys = createApiKeys({ prefix: 'le_', store: slow, clock, limits: { lease: 100 } })
    const { key } = await keys.create({ owner: 'acct_1', limits: MANY })
    for (let n = 0; n < 9; n++) await keys.verify(key)
    expect(keys.verify(key)).toMatchObject({ ok: true })
    clock.advance(1)
    expect(keys.verify(key)).toBeInstanceOf(Promise)
  })
})

describe('a fault of the store', () => {
  it('is unavailable as soon as a lease is used up, and admits nothing that was not taken', async () => {
    const { store, break: sabotage } = sabotagedStore()
    const { keys, key, times, remaining } = await leasing({ limits: { minute: 1_000 }, store })
    expect(await times(100)).toBe(100)
    const left = 900 - Number(await remaining())
    sabotage('lease', () => Promise.reject(new Error('gone')))
    sabotage('take', () => Promise.reject(new Error('gone')))
    expect(await times(500)).toBe(left)
    expect(await judged(keys, key)).toBe('unavailable')
    sabotage('lease', undefined)
    sabotage('take', undefined)
    expect(await remaining()).toEqual([900 - left])
    await expect.poll(() => judged(keys, key), { timeout: 2_000 }).toBe('admitted')
  })

  it('is told to all who waited for the lease', async () => {
    const { store, break: sabotage } = sabotagedStore(distantStore())
    const { keys, key, times } = await leasing({ store })
    await times(20)
    sabotage('lease', () => Promise.reject(new Error('gone')))
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => keys.verify(key)))
    expect(verdicts.map(codeOf).filter((code) => code === 'unavailable').length).toBeGreaterThan(20)
    expect(verdicts.map(codeOf).every((code) => code === 'unavailable' || code === 'admitted')).toBe(true)
  })

  it('while something is given back is told as an event, and harms nobody', async () => {
    const heard = listener()
    const { store, break: sabotage } = sabotagedStore()
    const { keys, times } = await leasing({ store, options: { onEvent: heard.onEvent } })
    await times(50)
    sabotage('lease', () => Promise.reject(new Error('gone')))
    await keys.close()
    expect(heard.of('fault')).toMatchObject([{ code: 'lease', message: expect.stringContaining('gone') }])
  })

  it('that answers nonsense admits nobody', async () => {
    for (const nonsense of [
      undefined,
      null,
      7,
      {},
      { ok: true },
      { ok: 'yes', readings: [] },
      { ok: true, readings: [{}] },
    ]) {
      const { store, break: sabotage } = sabotagedStore()
      const { keys, key, times } = await leasing({ store })
      await times(7)
      sabotage('lease', () => nonsense)
      expect(await judged(keys, key)).toBe('unavailable')
    }
  })
})

describe('the option', () => {
  it.each([0, -1, 1.5, '100', Number.NaN, true, null])('must be a whole number above 0, not %s', async (lease) => {
    const error = await failure(() => createApiKeys({ prefix: 'le_', limits: { lease: lease as number } }))
    expect(error).toMatchObject({ code: 'CONFIG' })
    expect(error.issues).toMatchObject([{ path: 'limits.lease' }])
  })

  it('needs a cache, because a lease is served without asking', async () => {
    const error = await failure(() => createApiKeys({ prefix: 'le_', cache: false, limits: { lease: 10 } }))
    expect(error.issues).toMatchObject([{ path: 'limits.lease' }])
  })

  it('of 1 leases nothing', async () => {
    const { times, asked } = await leasing({ lease: 1 })
    expect(await times(100)).toBe(100)
    expect([asked('take'), asked('lease')]).toEqual([100, 0])
  })

  it('changes nothing on a store without lease()', async () => {
    const { lease: _, ...inner } = memoryStore()
    const { times, asked } = await leasing({ store: inner, limits: { minute: 50 } })
    expect(await times(100)).toBe(50)
    expect(asked('take')).toBe(100)
  })
})

import { createApiKeys, KeywardError, memoryStore } from 'keyward'
import { describe, expect, it } from 'vitest'
import { createBreaker } from '../../src/storage/breaker.ts'
import { judged, listener } from '../support/outcome.ts'
import { deferred, never, sabotagedStore, spiedStore, type Verb, wrapStore } from '../support/stores.ts'

const gone = () => Promise.reject(new Error('ECONNREFUSED'))
const ALL: readonly Verb[] = ['find', 'insert', 'replace', 'remove', 'list', 'touch', 'take', 'revokeWhere']
/** Long enough for whatever is asked in a turn of the event loop. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 1))

/** An instance whose store can be made dead as a whole, and is counted. */
async function mortal(fault: () => unknown = gone, storeTimeout = 20) {
  const spied = spiedStore()
  const sabotaged = sabotagedStore(spied.store)
  const heard = listener()
  const open = (prefix: string) =>
    createApiKeys({ prefix, store: sabotaged.store, cache: false, storeTimeout, onEvent: heard.onEvent })
  const keys = open('br_')
  const made = await keys.create({ owner: 'acct_1', limits: { hour: 1000 } })
  const die = () => {
    for (const verb of ALL) sabotaged.break(verb, fault)
  }
  const revive = () => {
    for (const verb of ALL) sabotaged.break(verb, undefined)
  }
  let reached = 0
  const counted = () => {
    reached++
    return fault()
  }
  const count = () => {
    reached = 0
    for (const verb of ALL) sabotaged.break(verb, counted)
  }
  return { keys, open, ...made, sabotaged, heard, die, revive, count, reached: () => reached }
}

/** Asks until the store is not asked any more. */
async function untilGivenUp({ keys, key, heard }: Awaited<ReturnType<typeof mortal>>): Promise<void> {
  for (let asked = 0; asked < 100; asked++) {
    await judged(keys, key)
    if (heard.of('fault').at(-1)?.message.includes('was not asked: nothing answered lately')) return
    await turn()
  }
  throw new Error('it was asked again and again')
}

describe('D. A store that is dead', () => {
  it.each([
    ['rejects', gone, 20],
    ['never answers', never, 20],
  ])('and %s is not waited for by every request, and answers unavailable all the same', async (_, fault, timeout) => {
    const mortals = await mortal(fault, timeout)
    mortals.die()
    await untilGivenUp(mortals)
    mortals.count()
    const verdicts = await Promise.all(Array.from({ length: 500 }, () => mortals.keys.verify(mortals.key)))
    expect(new Set(verdicts.map((verdict) => JSON.stringify(verdict)))).toEqual(
      new Set([JSON.stringify({ ok: false, code: 'unavailable', status: 503, retryAfter: 1 })]),
    )
    expect(mortals.reached()).toBeLessThanOrEqual(4)
  })

  it('makes every verb of management fail alike, at once, with an outcome that is known: nothing happened', async () => {
    const mortals = await mortal()
    const { keys, record } = mortals
    mortals.die()
    await untilGivenUp(mortals)
    mortals.count()
    const calls = [
      keys.create({ owner: 'acct_1' }),
      keys.get(record.id),
      keys.list(),
      keys.update(record.id, { name: 'x' }),
      keys.disable(record.id),
      keys.rotate(record.id, { overlap: 0 }),
      keys.revoke(record.id),
      keys.revokeAll({ owner: 'acct_1' }),
      keys.remove(record.id),
    ]
    const errors = (await Promise.allSettled(calls)).map((one) => one.status === 'rejected' && one.reason)
    for (const error of errors) {
      expect(error).toBeInstanceOf(KeywardError)
      expect(error).toMatchObject({ code: 'STORE', message: expect.stringMatching(/was not asked/) })
      expect(error).not.toHaveProperty('outcome')
    }
    expect(mortals.reached()).toBe(0)
  })

  it('serves again when it is back, and from then on every request', async () => {
    const mortals = await mortal(never)
    mortals.die()
    await untilGivenUp(mortals)
    mortals.revive()
    await expect.poll(() => judged(mortals.keys, mortals.key), { interval: 20, timeout: 5_000 }).toBe('admitted')
    expect(await judged(mortals.keys, mortals.key)).toBe('admitted')
  })

  it('is told with its reason, where that came too late for the call that waited for it', async () => {
    const asked: ReturnType<typeof deferred<void>>[] = []
    const slow = () => {
      const late = deferred()
      asked.push(late)
      return late.promise
    }
    const mortals = await mortal(slow)
    const told = async () => {
      await judged(mortals.keys, mortals.key)
      return mortals.heard.of('fault').at(-1)?.message
    }
    mortals.die()
    expect(await told()).toBe("the store's find failed: no answer within 20 ms")
    for (const late of asked.splice(0)) late.reject(new Error('WRONGPASS for redis://user:hunter2@host'))
    await turn()
    const why = '(an earlier call failed at last: WRONGPASS for redis://[redacted]@host)'
    expect(await told()).toBe(`the store's find failed: no answer within 20 ms ${why}`)
    await untilGivenUp(mortals)
    expect(await told()).toBe(`the store's find was not asked: nothing answered lately ${why}`)
    mortals.revive()
    await expect.poll(() => judged(mortals.keys, mortals.key), { interval: 20, timeout: 5_000 }).toBe('admitted')
    mortals.die()
    expect(await told()).toBe("the store's find failed: no answer within 20 ms")
    for (const late of asked.splice(0)) late.resolve()
  })

  it('is dead for every instance over it, and for no other store', async () => {
    const mortals = await mortal()
    const other = mortals.open('other_')
    const { key: elsewhere } = await createApiKeys({ prefix: 'else_', store: memoryStore() }).create({ owner: 'a' })
    mortals.die()
    await untilGivenUp(mortals)
    await expect(other.list()).rejects.toMatchObject({ message: expect.stringMatching(/was not asked/) })
    const keys = createApiKeys({ prefix: 'else_', store: memoryStore() })
    expect(await judged(keys, elsewhere)).toBe('invalid_key')
  })
})

describe('D. A store that lives', () => {
  it('is not given up for one key whose record is locked: others are served', async () => {
    const { store } = spiedStore()
    const stuck: { id?: string } = {}
    const one = wrapStore(store, (verb, ask, [id]) => (verb === 'take' && id === stuck.id ? never() : ask()))
    const keys = createApiKeys({ prefix: 'br_', store: one, storeTimeout: 20 })
    const locked = await keys.create({ owner: 'acct_1', limits: { hour: 1000 } })
    const free = await keys.create({ owner: 'acct_1', limits: { hour: 1000 } })
    stuck.id = locked.record.id
    for (let round = 0; round < 5; round++) {
      const codes = await Promise.all(Array.from({ length: 20 }, () => judged(keys, locked.key)))
      expect(new Set(codes)).toEqual(new Set(['unavailable']))
      expect(await judged(keys, free.key)).toBe('admitted')
    }
  })

  it('is not given up for what it refuses: a name that is taken, a version that changed, a limit that is full', async () => {
    const heard = listener()
    const keys = createApiKeys({ prefix: 'br_', store: memoryStore(), names: 'unique', onEvent: heard.onEvent })
    const { key, record } = await keys.create({ owner: 'acct_1', name: 'n', limits: { hour: 0 } })
    for (let time = 0; time < 20; time++) {
      await expect(keys.create({ owner: 'acct_1', name: 'n' })).rejects.toMatchObject({ code: 'CONFLICT' })
      await expect(keys.update('nobody', { name: 'x' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(await judged(keys, key)).toBe('rate_limited')
    }
    expect(await keys.get(record.id)).toBeDefined()
    expect(heard.of('fault')).toEqual([])
  })

  it('is not given up for being slow: an answer that comes too late for its request is an answer', async () => {
    const asked: (() => void)[] = []
    let slow = false
    const store = wrapStore(memoryStore(), async (verb, ask) => {
      const late = deferred()
      if (slow && (verb === 'take' || verb === 'find')) asked.push(() => late.resolve())
      else late.resolve()
      await late.promise
      return ask()
    })
    const heard = listener()
    const keys = createApiKeys({ prefix: 'br_', store, storeTimeout: 10, onEvent: heard.onEvent })
    const { key } = await keys.create({ owner: 'acct_1', limits: { hour: 1000 } })
    expect(await judged(keys, key)).toBe('admitted')
    slow = true
    for (let round = 0; round < 4; round++) {
      const codes = await Promise.all(Array.from({ length: 20 }, () => judged(keys, key)))
      expect(new Set(codes)).toEqual(new Set(['unavailable']))
      for (const answer of asked.splice(0)) answer()
      await turn()
    }
    expect(heard.of('fault').filter(({ message }) => /was not asked/.test(message))).toEqual([])
  })

  it('is not given up for faults that come one by one, with answers in between', async () => {
    const { keys, key, sabotaged, heard } = await mortal()
    for (let time = 0; time < 30; time++) {
      sabotaged.break('find', time % 5 === 4 ? undefined : gone)
      await judged(keys, key)
    }
    expect(heard.of('fault').filter(({ message }) => /was not asked/.test(message))).toEqual([])
  })
})

describe('A breaker', () => {
  /** One over a store that is dead until told, and a clock in the hands of the test. */
  async function opened() {
    const state = { now: 1_000, ask: gone as () => unknown }
    const breaker = createBreaker(
      () => state.ask(),
      () => state.now,
    )
    for (let time = 0; time < 5; time++) breaker.failed(20, false)
    await turn()
    expect(breaker.isOpen).toBe(true)
    return { breaker, state }
  }

  it('lets one probe through at a time, and not at once', async () => {
    const { breaker, state } = await opened()
    expect(breaker.mayProbe()).toBe(false)
    state.now += 200
    expect([breaker.mayProbe(), breaker.mayProbe()]).toEqual([true, false])
    state.now += 200
    expect(breaker.mayProbe()).toBe(false)
    breaker.failed(20, true)
    expect([breaker.mayProbe(), breaker.mayProbe()]).toEqual([true, false])
  })

  it('waits for no probe that is stuck: the next may be made before a second is over', async () => {
    const { breaker, state } = await opened()
    state.now += 200
    expect(breaker.mayProbe()).toBe(true)
    state.now += 500
    expect(breaker.mayProbe()).toBe(true)
  })

  it('closes when what it asks beside a probe is answered, whatever becomes of the probe', async () => {
    const { breaker, state } = await opened()
    state.now += 200
    state.ask = () => undefined
    expect(breaker.mayProbe()).toBe(true)
    breaker.failed(20, true)
    await turn()
    expect(breaker.isOpen).toBe(false)
  })

  it('does not open where anything was answered while it asked', async () => {
    const { promise, resolve } = deferred()
    const breaker = createBreaker(() => promise.then(gone))
    for (let time = 0; time < 5; time++) breaker.failed(1_000, false)
    breaker.answered()
    resolve()
    await turn()
    expect(breaker.isOpen).toBe(false)
  })

  it('opens when what it asks is not answered in time', async () => {
    const breaker = createBreaker(never)
    for (let time = 0; time < 5; time++) breaker.failed(1, false)
    await expect.poll(() => breaker.isOpen).toBe(true)
  })

  it('does not open where one of three questions is answered: two may lie on a node that is down', async () => {
    let asked = 0
    const breaker = createBreaker(() => (++asked % 3 === 0 ? undefined : never()))
    for (let time = 0; time < 5; time++) breaker.failed(20, false)
    await turn()
    expect([breaker.isOpen, breaker.faults]).toEqual([false, 0])
  })
})

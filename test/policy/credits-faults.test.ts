import { type KeyStore, type Moved, memoryStore } from 'keyward'
import { describe, expect, it } from 'vitest'
import { hold, type Purse, purse } from '../support/money.ts'
import { failure, judged, listener } from '../support/outcome.ts'
import { deferred, never } from '../support/stores.ts'

type Move = NonNullable<KeyStore['move']>
type Args = Parameters<Move>

/** A memory store whose `move` can be made to fail. `real` is the one beneath. */
function fragile() {
  const inner = memoryStore()
  const real = (...args: Args): Moved => inner.move?.(...args) as Moved
  let fault: ((...args: Args) => unknown) | undefined
  const calls: Args[0][] = []
  const store: KeyStore = {
    ...inner,
    move: (...args) => {
      calls.push(args[0])
      return (fault === undefined ? real(...args) : fault(...args)) as Moved
    },
  }
  return {
    store,
    real,
    calls,
    /** From now on `move` does this; `undefined` mends it. */
    break: (next: typeof fault) => {
      fault = next
    },
  }
}

async function held(): Promise<{ kept: Purse; store: ReturnType<typeof fragile>; heard: ReturnType<typeof listener> }> {
  const store = fragile()
  const heard = listener()
  const kept = await purse({ remaining: 20 }, { store: store.store, storeTimeout: 20, onEvent: heard.onEvent })
  return { kept, store, heard }
}

const FAULTS: readonly { how: string; fault: (real: Move) => (...args: Args) => unknown }[] = [
  {
    how: 'throws',
    fault: () => () => {
      throw new Error('redis://user:hunter2@db is gone')
    },
  },
  { how: 'rejects', fault: () => () => Promise.reject(new Error('redis://user:hunter2@db is gone')) },
  { how: 'never answers', fault: () => never },
  {
    how: 'charges, and its answer is lost',
    fault:
      (real) =>
      (...args) => {
        real(...args)
        return never()
      },
  },
  {
    how: 'charges, and then throws',
    fault:
      (real) =>
      (...args) => {
        real(...args)
        throw new Error('connection reset')
      },
  },
]

describe('Settling on a store that fails', () => {
  it.each(FAULTS)(
    'is STORE with an unknown outcome where the store $how, and may be called again without a double charge',
    async ({ fault }) => {
      const { kept, store, heard } = await held()
      const { settle } = await hold(kept, { reserve: 10 })
      store.break(fault(store.real))
      for (let again = 0; again < 2; again++) {
        const error = await failure(() => settle(7))
        expect([error.code, error.outcome]).toEqual(['STORE', 'unknown'])
        expect(error.message).not.toContain('hunter2')
      }
      expect(heard.of('settled')).toEqual([])
      const message = expect.stringContaining("the store's move")
      expect(heard.of('fault')).toMatchObject(Array(2).fill({ code: 'settle', id: kept.id, owner: 'acct_1', message }))
      store.break(undefined)
      expect(await settle(7)).toEqual({ charged: 7, short: 0 })
      expect(await settle(7)).toEqual({ charged: 7, short: 0 })
      expect(await kept.left()).toBe(13)
      expect(heard.of('settled')).toHaveLength(1)
    },
  )

  it('is not asked for again once nobody can know any more whether it was charged', async () => {
    const { kept, store } = await held()
    const { settle } = await hold(kept, { reserve: 10 })
    store.break(FAULTS[4]?.fault(store.real))
    await failure(() => settle(7))
    store.break(undefined)
    kept.clock.advance('61s')
    const error = await failure(() => settle(7))
    expect([error.code, error.outcome]).toEqual(['STORE', 'unknown'])
    expect(await kept.left()).toBe(13)
  })

  it.each([
    ['was not charged', 20, (real: Move) => FAULTS[1]?.fault(real)],
    ['was charged all the same', 14, (real: Move) => FAULTS[4]?.fault(real)],
  ])('gives back what is held and %s, where the response ended meanwhile', async (_, left, fault) => {
    const { kept, store } = await held()
    const { settle, release } = await hold(kept, { reserve: 10 })
    const { promise, resolve } = deferred()
    const fails = fault(store.real)
    store.break(async (...args) => {
      await promise
      return fails?.(...args)
    })
    const settling = failure(() => settle(6))
    release()
    store.break(undefined)
    resolve()
    await settling
    await kept.keys.close()
    expect(await kept.left()).toBe(left)
  })

  it('a charge that lands late, after it was called again, is still one', async () => {
    const { kept, store } = await held()
    const { settle } = await hold(kept, { reserve: 10 })
    const late: (() => Moved)[] = []
    store.break((...args) => {
      late.push(() => store.real(...args))
      return never()
    })
    await failure(() => settle(7))
    store.break(undefined)
    expect(await settle(7)).toEqual({ charged: 7, short: 0 })
    for (const land of late) expect(land().charged).toBe(7)
    expect(await kept.left()).toBe(13)
  })

  it('callers who wait together are told of the fault together, and one of them may go on', async () => {
    const { kept, store } = await held()
    const { settle } = await hold(kept, { reserve: 10 })
    store.break(() => Promise.reject(new Error('gone')))
    const outcomes = await Promise.allSettled([settle(7), settle(7)])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(store.calls.filter((call) => call.settle !== undefined)).toHaveLength(1)
    store.break(undefined)
    expect(await settle(7)).toEqual({ charged: 7, short: 0 })
  })

  it('a release that fails is told as a fault, throws nothing, and the lease does the rest', async () => {
    const { kept, store, heard } = await held()
    const { release } = await hold(kept, { reserve: 10 })
    store.break(() => Promise.reject(new Error('gone')))
    release()
    await expect.poll(() => heard.of('fault').length).toBe(1)
    store.break(undefined)
    expect(await kept.left()).toBe(10)
    kept.clock.advance('10m')
    expect(await kept.left()).toBe(20)
  })

  it('a release that is asked for while a fault is unknown does not undo the charge', async () => {
    const { kept, store } = await held()
    const { settle, release } = await hold(kept, { reserve: 10 })
    store.break((...args) => {
      store.real(...args)
      throw new Error('connection reset')
    })
    await failure(() => settle(7))
    store.break(undefined)
    release()
    await expect.poll(kept.left).toBe(13)
    expect(await settle(7)).toEqual({ charged: 7, short: 0 })
    expect(await kept.left()).toBe(13)
  })

  it('the answer is awaited as it should: nothing is charged before the store says so', async () => {
    const { kept, store } = await held()
    const { settle } = await hold(kept, { reserve: 10 })
    const answer = deferred()
    store.break((...args) => answer.promise.then(() => store.real(...args)))
    const settled = settle(7)
    answer.resolve()
    expect(await settled).toEqual({ charged: 7, short: 0 })
  })
})

describe('credit() and balance() on a store that fails', () => {
  it.each(FAULTS.slice(0, 3))(
    'are STORE, and what was to change has an unknown outcome, where it $how',
    async ({ fault }) => {
      const { kept, store, heard } = await held()
      store.break(fault(store.real))
      for (const [act, outcome] of [[() => kept.keys.credit({ id: kept.id }, 5), 'unknown'], [kept.left]] as const) {
        const error = await failure(act)
        expect([error.code, error.outcome]).toEqual(['STORE', outcome])
        expect(error.message).not.toContain('hunter2')
      }
      const at = new Date(kept.clock.now()).toISOString()
      const maybe = { type: 'credited', at, id: kept.id, owner: 'acct_1', amount: 5, outcome: 'unknown' }
      expect(heard.of('credited')).toEqual([maybe])
      store.break(undefined)
      expect(await kept.left()).toBe(20)
    },
  )
})

describe('credit() with an idempotency key', () => {
  it.each(FAULTS)('gives once, also when the store $how, and is asked again', async ({ fault }) => {
    const { kept, store, heard } = await held()
    const { keys, id } = kept
    const give = () => keys.credit({ id }, 500, { idempotencyKey: 'payment_1', actor: 'billing' })
    store.break(fault(store.real as Move))
    expect(await failure(give)).toMatchObject({ code: 'STORE', outcome: 'unknown' })
    store.break(undefined)
    expect([await give(), await give(), await kept.left()]).toEqual([520, 520, 520])
    expect(heard.of('credited')).toContainEqual(expect.objectContaining({ id, amount: 500, actor: 'billing' }))
  })

  it('gives once to a thousand who ask at once, and again under another key, or to another balance', async () => {
    const { kept } = await held()
    const { keys, id } = kept
    const another = await keys.create({ owner: 'acct_1', credits: { remaining: 0 } })
    const give = (idempotencyKey: string, whom = id) => keys.credit({ id: whom }, 5, { idempotencyKey })
    expect(new Set(await Promise.all(Array.from({ length: 1000 }, () => give('one'))))).toEqual(new Set([25]))
    expect(await give('two')).toBe(30)
    expect(await give('one', another.record.id)).toBe(5)
  })

  it('is a CONFLICT for another amount, gives nothing then, and shows nothing of the key', async () => {
    const { kept } = await held()
    const { keys, id } = kept
    await keys.credit({ id }, 5, { idempotencyKey: 'secret-of-ours' })
    const error = await failure(() => keys.credit({ id }, 6, { idempotencyKey: 'secret-of-ours' }))
    expect(error).toMatchObject({ code: 'CONFLICT', issues: [{ path: 'idempotencyKey' }] })
    expect(String(error)).not.toContain('secret-of-ours')
    expect(await kept.left()).toBe(25)
  })

  it('remembers what it gave for 30 days', async () => {
    const { kept } = await held()
    const { keys, id, clock } = kept
    const give = () => keys.credit({ id }, 5, { idempotencyKey: 'monthly' })
    await give()
    clock.advance('719h')
    expect(await give()).toBe(25)
    clock.advance('1h')
    expect(await give()).toBe(30)
  })

  it.each(['', 'a b', 'x'.repeat(256), 5, null])('refuses %j with INPUT', async (idempotencyKey) => {
    const { kept } = await held()
    const error = await failure(() =>
      kept.keys.credit({ id: kept.id }, 5, { idempotencyKey } as { idempotencyKey: string }),
    )
    expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'idempotencyKey' }] })
  })
})

describe('A change that was made, and a balance that cannot be read afterwards', () => {
  it('rotate and create tell the text all the same', async () => {
    const { kept, store } = await held()
    const { keys, key, id } = kept
    store.break(() => Promise.reject(new Error('gone')))
    const rotated = await keys.rotate(id, { overlap: 0 })
    const created = await keys.create({ owner: 'acct_1', credits: { remaining: 3 } })
    const updated = await keys.update(id, { name: 'b' })
    expect([created.record.credits, updated.name]).toEqual([{ remaining: 3 }, 'b'])
    store.break(undefined)
    expect(await Promise.all([rotated.key, created.key, key].map((text) => judged(keys, text)))).toEqual([
      'admitted',
      'admitted',
      'invalid_key',
    ])
  })
})

describe('What a refusal shows of a balance', () => {
  it('is what is free where limits and balance refuse', async () => {
    const { kept } = await held()
    expect(await kept.ask({ cost: 15 })).toBe('admitted')
    const poor = await kept.keys.verify(kept.key, { cost: 15 })
    expect(poor).toMatchObject({ code: 'insufficient_balance', record: { credits: { remaining: 5 } } })
    const full = await kept.keys.verify(kept.key, { limits: [{ name: 'x', limit: 1, window: '1h' }], cost: 2 })
    expect(full).toMatchObject({ code: 'rate_limited', record: { credits: { remaining: 5 } } })
  })
})

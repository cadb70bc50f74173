import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type ApiKeys, createApiKeys, type Whom } from 'keyward'
import { describe, expect, it, onTestFinished } from 'vitest'
import { inOtherCase } from '../support/forge.ts'
import { atOnce, farAway, hold, purse } from '../support/money.ts'
import { failure, judged, listener } from '../support/outcome.ts'

const AMOUNTS: readonly (readonly [amount: unknown, shown: string])[] = [
  [0, '0'],
  [-1, '-1'],
  [1.5, '1.5'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [2 ** 53, '9007199254740992'],
  ['5', '"5"'],
  [5n, '5n'],
  [null, 'null'],
  [undefined, 'undefined'],
  [[5], '[5]'],
  [{}, '{}'],
]

describe('credit()', () => {
  it('adds to what is free, and answers it', async () => {
    const { keys, id, left } = await purse({ remaining: 5 })
    expect(await keys.credit({ id }, 7)).toBe(12)
    expect(await left()).toBe(12)
  })

  it('serves the next request of a key that was refused', async () => {
    const { keys, id, ask } = await purse({ remaining: 0 })
    expect(await ask()).toBe('insufficient_balance')
    await keys.credit({ id }, 1)
    expect(await ask()).toBe('admitted')
  })

  it('adds beside what is held, which stays held', async () => {
    const kept = await purse({ remaining: 5 })
    const { release } = await hold(kept, { reserve: 5 })
    expect(await kept.keys.credit({ id: kept.id }, 2)).toBe(2)
    release()
    expect(await kept.left()).toBe(7)
  })

  it('adds to a refill that is due, which is made first', async () => {
    const { keys, id, clock } = await purse({ remaining: 1, refill: { amount: 10, every: 'day' } })
    clock.advance('1d')
    expect(await keys.credit({ id }, 2)).toBe(12)
  })

  it('loses nothing of many at once', async () => {
    const { keys, id, left } = await purse({ remaining: 0 }, { store: farAway(), storeTimeout: '10s' })
    await atOnce(50, (i) => keys.credit({ id }, i + 1))
    expect(await left()).toBe(1275)
  })

  it.each(AMOUNTS)('refuses an amount of %o, and says so: nothing is added', async (amount, shown) => {
    const { keys, id, left } = await purse({ remaining: 5 })
    const error = await failure(() => keys.credit({ id }, amount as never))
    expect([error.code, error.issues?.[0]?.path]).toEqual(['INPUT', 'amount'])
    expect(error.message).toMatch(/^amount must be a whole number/)
    expect(error.message.endsWith(`, not ${shown}`), error.message).toBe(true)
    expect(await left()).toBe(5)
  })

  it('more than a balance can count is refused or cut, and the key goes on as before', async () => {
    const { keys, id, left, ask } = await purse({ remaining: 5 })
    const given = keys.credit({ id }, Number.MAX_SAFE_INTEGER)
    await given.catch((error: unknown) => expect(error).toMatchObject({ code: 'INPUT' }))
    expect(await ask()).toBe('admitted')
    expect(Number.isSafeInteger(await left())).toBe(true)
  })

  it('works on a key that is disabled, expired or revoked: it is the account that is paid', async () => {
    const { keys, id } = await purse({ remaining: 0 })
    await keys.disable(id)
    expect(await keys.credit({ id }, 3)).toBe(3)
    await keys.revoke(id, { reason: 'over' })
    expect(await keys.credit({ id }, 3)).toBe(6)
  })
})

const VERBS: readonly { verb: string; call: (keys: ApiKeys, whom: Whom, by?: object) => Promise<number> }[] = [
  { verb: 'credit()', call: (keys, whom, by) => keys.credit(whom, 1, by) },
  { verb: 'balance()', call: (keys, whom, by) => keys.balance(whom, by) },
]

describe.each(VERBS)('$verb: whose', ({ call }) => {
  it('an unknown id is NOT_FOUND', async () => {
    const { keys, id, left } = await purse({ remaining: 5 })
    for (const unknown of ['AAAAAAAAAAAA', id.slice(1), `${id} `, inOtherCase(id), '__proto__', `${id}:0`]) {
      expect((await failure(() => call(keys, { id: unknown }))).code).toBe('NOT_FOUND')
    }
    expect(await left()).toBe(5)
  })

  it('a foreign key is as unknown as a made-up one: of another owner, another resource, another instance', async () => {
    const kept = await purse({ remaining: 5 })
    const { keys, store, id } = kept
    const { record } = await keys.create({ owner: 'acct_1', resource: 'agent:1', credits: { remaining: 5 } })
    const made = await failure(() => call(keys, { id: 'AAAAAAAAAAAA' }))
    const foreign = [
      await failure(() => call(keys, { id }, { owner: 'acct_2' })),
      await failure(() => call(keys, { id }, { resource: 'agent:1' })),
      await failure(() => call(keys, { id: record.id }, { resource: 'agent:2' })),
      await failure(() => call(createApiKeys({ prefix: 'other_', store }), { id })),
    ]
    for (const { code, message } of foreign) expect([code, message]).toEqual([made.code, made.message])
    expect([await kept.left(), await keys.balance({ id: record.id })]).toEqual([5, 5])
  })

  it('conditions that are met let it through', async () => {
    const { keys } = await purse({ remaining: 5 })
    const { record } = await keys.create({ owner: 'acct_1', resource: 'agent:1', credits: { remaining: 5 } })
    const by = { owner: 'acct_1', resource: 'agent:1', actor: 'billing' }
    expect(await call(keys, { id: record.id }, by)).toBeGreaterThanOrEqual(5)
  })

  it('an owner’s balance is told to no other owner', async () => {
    const keys = createApiKeys({ prefix: 'pay_', credits: 'owner' })
    await keys.credit({ owner: 'acct_1' }, 5)
    expect((await failure(() => call(keys, { owner: 'acct_1' }, { owner: 'acct_2' }))).code).toBe('NOT_FOUND')
    expect(await call(keys, { owner: 'acct_1' }, { owner: 'acct_1' })).toBeGreaterThanOrEqual(5)
  })

  it('a key without credits is STATE, which is not NOT_FOUND', async () => {
    const { keys } = await purse({ remaining: 5 })
    const { record } = await keys.create({ owner: 'acct_1' })
    expect((await failure(() => call(keys, { id: record.id }))).code).toBe('STATE')
  })

  it('R-12 anything but { id } or { owner } is INPUT', async () => {
    const keys = createApiKeys({ prefix: 'pay_', credits: 'owner' })
    const { record } = await keys.create({ owner: 'acct_1' })
    const wrong = [
      {},
      { id: record.id, owner: 'acct_1' },
      { id: undefined },
      { id: '' },
      { id: 5 },
      { id: { $ne: null } },
      { owner: ['acct_1'] },
      { owner: '' },
      { account: ':acct_1' },
      { owner: 'acct_1', resource: 'x' },
      'acct_1',
      null,
      undefined,
      [],
    ]
    for (const whom of wrong) {
      const error = await failure(() => call(keys, whom as never))
      expect([JSON.stringify(whom), error.code]).toEqual([JSON.stringify(whom), 'INPUT'])
      expect(error.issues).not.toEqual([])
    }
    expect(await keys.balance({ owner: 'acct_1' })).toBe(0)
  })

  it('an owner is INPUT where balances are kept per key: names the field, and what to write', async () => {
    const { keys, left } = await purse({ remaining: 5 })
    const error = await failure(() => call(keys, { owner: 'acct_1' }))
    expect([error.code, error.issues?.[0]?.path]).toEqual(['INPUT', 'owner'])
    expect(error.message).toBe("owner has no balance: give { id }, or make the instance with credits: 'owner'")
    expect(await left()).toBe(5)
  })

  it('wrong conditions are INPUT', async () => {
    const { keys, id } = await purse({ remaining: 5 })
    for (const by of [{ owner: '' }, { owner: 5 }, { role: 'admin' }, 'acct_1']) {
      expect((await failure(() => call(keys, { id }, by as never))).code).toBe('INPUT')
    }
  })
})

describe('Events of money', () => {
  it('`credited` tells whose, how much, the balance and the author', async () => {
    const heard = listener()
    const { keys, id } = await purse({ remaining: 5 }, { onEvent: heard.onEvent })
    await keys.credit({ id }, 7, { actor: 'billing' })
    const at = new Date(Date.UTC(2026, 0, 1)).toISOString()
    expect(heard.of('credited')).toEqual([
      { type: 'credited', at, id, owner: 'acct_1', amount: 7, balance: 12, actor: 'billing' },
    ])
  })

  it('`credited` of an owner names no key', async () => {
    const heard = listener()
    const keys = createApiKeys({ prefix: 'pay_', credits: 'owner', onEvent: heard.onEvent })
    await keys.credit({ owner: 'acct_1' }, 7)
    expect(heard.of('credited')).toMatchObject([{ owner: 'acct_1', amount: 7, balance: 7 }])
    expect(heard.of('credited')[0]).not.toHaveProperty('id')
    expect(heard.of('credited')[0]).not.toHaveProperty('actor')
  })

  it('`settled` tells what was charged and what is left, once', async () => {
    const heard = listener()
    const kept = await purse({ remaining: 10 }, { onEvent: heard.onEvent })
    const { settle, release } = await hold(kept, { reserve: 6 })
    await Promise.all([settle(4), settle(4)])
    await settle(4)
    release()
    expect(heard.of('settled')).toMatchObject([{ id: kept.id, owner: 'acct_1', amount: 4, balance: 6 }])
  })

  it('what is read, refused, held or given back is told by neither', async () => {
    const heard = listener()
    const kept = await purse({ remaining: 10 }, { onEvent: heard.onEvent })
    await failure(() => kept.keys.credit({ id: kept.id }, 0))
    await failure(() => kept.keys.credit({ id: 'AAAAAAAAAAAA' }, 1))
    const { release } = await hold(kept, { reserve: 6 })
    release()
    await kept.left()
    expect(await judged(kept.keys, kept.key, { cost: 11 })).toBe('insufficient_balance')
    expect([...heard.of('credited'), ...heard.of('settled'), ...heard.of('fault')]).toEqual([])
    expect(heard.of('denied')).toMatchObject([{ code: 'insufficient_balance', id: kept.id, owner: 'acct_1' }])
  })

  it('the same go to node:diagnostics_channel', async () => {
    const seen: unknown[] = []
    const note = (event: unknown) => seen.push(event)
    for (const channel of ['keyward:credited', 'keyward:settled']) {
      subscribe(channel, note)
      onTestFinished(() => void unsubscribe(channel, note))
    }
    const kept = await purse({ remaining: 10 })
    await kept.keys.credit({ id: kept.id }, 1)
    await (await hold(kept, { reserve: 2 })).settle(2)
    expect(seen).toMatchObject([
      { type: 'credited', amount: 1, balance: 11 },
      { type: 'settled', amount: 2, balance: 9 },
    ])
  })
})

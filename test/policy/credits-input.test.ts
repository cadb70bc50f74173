import { inspect } from 'node:util'
import fc from 'fast-check'
import { createApiKeys, KeywardError, memoryStore } from 'keyward'
import { describe, expect, it } from 'vitest'
import { purse } from '../support/money.ts'
import { failure, listener } from '../support/outcome.ts'
import { kept } from '../support/stores.ts'

/** Credits as somebody might write them: what is wrong, the field that has to be named, and the value as it is shown. */
const WRONG = named<readonly [credits: unknown, path: string, value: string]>([
  [5, 'credits', '5'],
  ['5', 'credits', '"5"'],
  [true, 'credits', 'true'],
  [[], 'credits', '[]'],
  [{}, 'credits.remaining', 'undefined'],
  [{ remaining: null }, 'credits.remaining', 'null'],
  [{ remaining: '5' }, 'credits.remaining', '"5"'],
  [{ remaining: -1 }, 'credits.remaining', '-1'],
  [{ remaining: 1.5 }, 'credits.remaining', '1.5'],
  [{ remaining: Number.NaN }, 'credits.remaining', 'NaN'],
  [{ remaining: Number.POSITIVE_INFINITY }, 'credits.remaining', 'Infinity'],
  [{ remaining: 2 ** 53 }, 'credits.remaining', '9007199254740992'],
  [{ remaining: 5n }, 'credits.remaining', '5n'],
  [{ remaining: { valueOf: () => 5 } }, 'credits.remaining', '{}'],
  [{ remaining: 5, refill: 5 }, 'credits.refill', '5'],
  [{ remaining: 5, refill: null }, 'credits.refill', 'null'],
  [{ remaining: 5, refill: {} }, 'credits.refill.amount', 'undefined'],
  [{ remaining: 5, refill: { amount: 0, every: 'day' } }, 'credits.refill.amount', '0'],
  [{ remaining: 5, refill: { amount: -3, every: 'day' } }, 'credits.refill.amount', '-3'],
  [{ remaining: 5, refill: { amount: 2.5, every: 'day' } }, 'credits.refill.amount', '2.5'],
  [{ remaining: 5, refill: { amount: 2 ** 53, every: 'day' } }, 'credits.refill.amount', '9007199254740992'],
  ...[
    'year',
    'Day',
    'days',
    '',
    '0h',
    '6',
    '6H',
    '06h',
    '-6h',
    '1.5h',
    '6h ',
    ' 6h',
    '6h\n',
    '99999h',
    '6m',
    6,
    null,
  ].map(
    (every) => [{ remaining: 5, refill: { amount: 1, every } }, 'credits.refill.every', JSON.stringify(every)] as const,
  ),
])

/** What misspelt fields are called. */
const UNKNOWN = named<readonly [credits: unknown, path: string]>([
  [{ remaining: 5, balance: 7 }, 'credits.balance'],
  [{ remaining: 5, opened: 0 }, 'credits.opened'],
  [JSON.parse('{ "remaining": 5, "__proto__": { "refill": 1 } }'), 'credits.__proto__'],
  [{ remaining: 5, refill: { amount: 1, every: 'day', at: 3 } }, 'credits.refill.at'],
])

/** With a name that any value has. */
function named<Row extends readonly [unknown, ...unknown[]]>(rows: readonly Row[]) {
  return rows.map((row) => ({ shown: inspect(row[0], { breakLength: Number.POSITIVE_INFINITY }), row }))
}

describe('credits as they are given', () => {
  it.each(WRONG)(
    '$shown is refused at creation: names the field, the rule and the value',
    async ({ row: [credits, path, value] }) => {
      const store = memoryStore()
      const keys = createApiKeys({ prefix: 'pay_', store })
      const error = await failure(() => keys.create({ owner: 'acct_1', credits } as never))
      expect(error.code).toBe('INPUT')
      const issue = error.issues?.find((each) => each.path === path)
      expect(issue?.message).toMatch(/^must be /)
      expect(issue?.message.endsWith(`, not ${value}`), issue?.message).toBe(true)
      expect(error.message).toContain(path)
      expect((await keys.list()).items).toEqual([])
    },
  )

  it.each(WRONG)(
    '$shown is refused at update, and leaves the record byte-identical',
    async ({ row: [credits, path, value] }) => {
      const heard = listener()
      const { keys, store, id, left } = await purse({ remaining: 3 }, { onEvent: heard.onEvent })
      const before = JSON.stringify(await kept(store, id))
      const error = await failure(() => keys.update(id, { description: 'new', credits } as never))
      expect(error.code).toBe('INPUT')
      expect(error.issues?.find((each) => each.path === path)?.message).toContain(`not ${value}`)
      expect(JSON.stringify(await kept(store, id))).toBe(before)
      expect(await left()).toBe(3)
      expect(heard.of('updated')).toEqual([])
    },
  )

  it.each(UNKNOWN)(
    'M-01 $shown is refused at creation and at update: names the field',
    async ({ row: [credits, path] }) => {
      const { keys, store, id } = await purse({ remaining: 3 })
      const before = JSON.stringify(await kept(store, id))
      for (const act of [
        () => keys.create({ owner: 'acct_2', credits } as never),
        () => keys.update(id, { credits } as never),
      ]) {
        const error = await failure(act)
        expect([error.code, error.issues?.map((issue) => issue.path)]).toEqual(['INPUT', [path]])
      }
      expect(JSON.stringify(await kept(store, id))).toBe(before)
    },
  )

  it('all that is wrong is told at once', async () => {
    const keys = createApiKeys({ prefix: 'pay_' })
    const credits = { remaining: -1, refill: { amount: 0, every: 'year' } }
    const { issues } = await failure(() => keys.create({ owner: '', credits } as never))
    expect(issues?.map(({ path }) => path).sort()).toEqual([
      'credits.refill.amount',
      'credits.refill.every',
      'credits.remaining',
      'owner',
    ])
  })

  it('`null` clears at update only: a new key without credits is written by leaving them out', async () => {
    const keys = createApiKeys({ prefix: 'pay_' })
    expect((await failure(() => keys.create({ owner: 'acct_1', credits: null } as never))).code).toBe('INPUT')
    const { record } = await keys.create({ owner: 'acct_1', credits: undefined })
    expect(record.credits).toBeUndefined()
  })

  it('P-05 any JSON in place of credits is taken or refused as INPUT, and a refusal changes nothing', async () => {
    const { keys, store, id } = await purse({ remaining: 3 })
    await fc.assert(
      fc.asyncProperty(fc.anything(), async (credits) => {
        const before = JSON.stringify(await kept(store, id))
        try {
          await keys.update(id, { credits } as never)
        } catch (error) {
          expect(error).toBeInstanceOf(KeywardError)
          expect((error as KeywardError).code).toBe('INPUT')
          expect(JSON.stringify(await kept(store, id))).toBe(before)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('credits as they are kept', () => {
  it('a record shows what is free and when it is refilled, frozen, and nothing of how it is kept', async () => {
    const { created, keys, id, ask } = await purse({ remaining: 5, refill: { amount: 9, every: 'month' } })
    expect(created.record.credits).toEqual({ remaining: 5, refill: { amount: 9, every: 'month' } })
    expect(Object.isFrozen(created.record.credits) && Object.isFrozen(created.record.credits?.refill)).toBe(true)
    await ask({ cost: 2 })
    expect((await keys.get(id))?.credits).toEqual({ remaining: 3, refill: { amount: 9, every: 'month' } })
    expect((await keys.list()).items.map(({ credits }) => credits?.remaining)).toEqual([3])
  })

  it('what the caller gave stays the caller’s: changing it later changes nothing', async () => {
    const credits = { remaining: 2, refill: { amount: 1, every: 'day' as const } }
    const { keys, id, left, ask, clock } = await purse(credits)
    Object.assign(credits, { remaining: 1_000_000 })
    credits.refill.amount = 1_000_000
    expect((await keys.get(id))?.credits).toEqual({ remaining: 2, refill: { amount: 1, every: 'day' } })
    await ask({ cost: 2 })
    clock.advance('1d')
    expect(await left()).toBe(1)
  })

  it('`null` clears: the key is then charged nothing, and has no balance to read', async () => {
    const { keys, id, ask } = await purse({ remaining: 0 })
    expect(await ask()).toBe('insufficient_balance')
    const record = await keys.update(id, { credits: null })
    expect(record.credits).toBeUndefined()
    expect(await ask({ cost: 1_000 })).toBe('admitted')
    expect((await failure(() => keys.balance({ id }))).code).toBe('STATE')
  })

  it('credits that come back after they were cleared begin anew', async () => {
    const { keys, id, ask, left } = await purse({ remaining: 3 })
    await ask()
    await keys.update(id, { credits: null })
    await keys.update(id, { credits: { remaining: 8 } })
    expect(await left()).toBe(8)
  })

  it('a new balance replaces the old one, at once and whole: nothing is added, no refill stays', async () => {
    const { keys, id, ask, left, clock } = await purse({ remaining: 5, refill: { amount: 100, every: 'day' } })
    await ask({ cost: 5 })
    expect((await keys.update(id, { credits: { remaining: 2 } })).credits).toEqual({ remaining: 2 })
    expect([await ask(), await ask(), await ask()]).toEqual(['admitted', 'admitted', 'insufficient_balance'])
    clock.advance('2d')
    expect(await left()).toBe(0)
  })

  it('the same balance given again is a new one', async () => {
    const { keys, id, ask, left } = await purse({ remaining: 2 })
    for (let i = 0; i < 3; i++) {
      await ask()
      await keys.update(id, { credits: { remaining: 2 } })
      expect(await left()).toBe(2)
    }
  })

  it('a patch that leaves credits out, or `undefined`, leaves the balance as it is', async () => {
    const { keys, id, ask } = await purse({ remaining: 5 })
    await ask({ cost: 2 })
    expect((await keys.update(id, { name: 'new' })).credits).toEqual({ remaining: 3 })
    expect((await keys.update(id, { credits: undefined })).credits).toEqual({ remaining: 3 })
    await keys.rotate(id, { overlap: 0 })
    await keys.disable(id)
    expect((await keys.enable(id)).credits).toEqual({ remaining: 3 })
  })

  it('L-13 a balance follows the id through rotation, by the new secret and the old', async () => {
    const { keys, key, id, left } = await purse({ remaining: 5 })
    const fresh = await keys.rotate(id, { overlap: '1h' })
    for (const text of [key, fresh.key]) expect((await keys.verify(text)).ok).toBe(true)
    expect(await left()).toBe(3)
  })

  it('L-13 a key that is removed takes its balance with it: the same id begins anew', async () => {
    const generateId = () => 'AAAAAAAAAAAA'
    const { keys, id, ask, left } = await purse({ remaining: 5 }, { generateId })
    await ask({ cost: 4 })
    await keys.remove(id)
    await keys.create({ owner: 'acct_2', credits: { remaining: 5 } })
    expect(await left()).toBe(5)
  })
})

import { type Credential, createApiKeys, type Demand, type ListOptions } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { BOTH_STORES } from '../support/both-stores.ts'
import { failure, judged } from '../support/outcome.ts'
import { spiedStore } from '../support/stores.ts'
import { NO_TEXTS, TEXTS } from '../support/texts.ts'

async function populated(open: (typeof BOTH_STORES)[number][1]) {
  const { store, rows } = open()
  const clock = fakeClock()
  const keys = createApiKeys({ prefix: 'inj_', store, clock, names: 'unique' })
  const victim = await keys.create({ owner: 'acct_1', resource: 'agent:1', name: 'victim' })
  const made = []
  for (const text of TEXTS) {
    const fields = { name: text, resource: text, description: text, metadata: { [`k${text}`]: text } }
    made.push({ text, ...(await keys.create({ owner: text, ...fields })) })
  }
  return { keys, clock, store, rows, victim, made, untouched: () => rows([victim.record.id]) }
}

describe.each(BOTH_STORES)('R. Text that would be a command elsewhere (%s)', (_name, open) => {
  it('R-09 R-10 R-11 comes back as it was given, and finds its own key and no other', async () => {
    const { keys, made } = await populated(open)
    for (const { text, record } of made) {
      expect(await keys.get(record.id)).toMatchObject({ owner: text, resource: text, name: text, description: text })
      for (const condition of [{ owner: text }, { resource: text }, { owner: text, name: text }]) {
        const { items } = await keys.list(condition)
        expect(items.map(({ id }) => id)).toEqual([record.id])
      }
    }
  })

  it('R-08 R-09 R-11 is a name of its own for each owner', async () => {
    const { keys } = await populated(open)
    for (const text of TEXTS) {
      expect((await failure(() => keys.create({ owner: text, name: text }))).code).toBe('CONFLICT')
      expect((await keys.create({ owner: 'acct_1', name: text })).record.name).toBe(text)
    }
  })

  it('R-09 R-11 is an owner whom a demand tells from every other', async () => {
    const { keys, made, victim } = await populated(open)
    for (const { text, key } of made) {
      const mine: Demand = { owner: text, resource: text }
      expect(await judged(keys, key, mine)).toBe('admitted')
      expect(await judged(keys, key, { owner: 'acct_1', resource: text })).toBe('owner_mismatch')
      expect(await judged(keys, victim.key, { owner: () => text, resource: '*' })).toBe('owner_mismatch')
      expect(await judged(keys, victim.key, { resource: () => text })).toBe('resource_mismatch')
    }
  })

  it('R-11 revokes its own keys alone, with itself for a reason', async () => {
    const { keys, made, untouched } = await populated(open)
    const before = await untouched()
    for (const { text, record } of made) {
      expect(await keys.revokeAll({ owner: text, reason: text, actor: text })).toBe(1)
      expect(await keys.get(record.id)).toMatchObject({ status: 'revoked', revokedReason: text })
      expect(await keys.revokeAll({ resource: text })).toBe(0)
    }
    expect(await untouched()).toBe(before)
  })

  it('R-11 is the id of no key, for any verb', async () => {
    const { keys, victim, untouched } = await populated(open)
    const before = await untouched()
    for (const text of [...TEXTS, ...NO_TEXTS, `${victim.record.id}' --`, `${victim.record.id}\0`]) {
      expect(await keys.get(text)).toBeUndefined()
      expect((await failure(() => keys.update(text, { name: 'x' }))).code).toBe('NOT_FOUND')
      expect((await failure(() => keys.remove(text))).code).toBe('NOT_FOUND')
      expect((await failure(() => keys.get(victim.record.id, { owner: text, nobody: text } as never))).code).toBe(
        'INPUT',
      )
      expect(await judged(keys, text)).not.toBe('admitted')
      expect(await judged(keys, `inj_${text}`)).toBe('invalid_key')
    }
    expect(await untouched()).toBe(before)
  })

  it('R-11 is no cursor, and neither is a cursor with such a place in it a way to the keys of others', async () => {
    const { keys, victim } = await populated(open)
    for (const text of [...TEXTS, ...NO_TEXTS]) {
      expect((await failure(() => keys.list({ cursor: text }))).code).toBe('INPUT')
    }
    for (const text of TEXTS) {
      const cursor = Buffer.from(JSON.stringify([Number.MAX_SAFE_INTEGER, text])).toString('base64url')
      const { items } = await keys.list({ cursor, owner: 'acct_1' })
      expect(items.map(({ id }) => id)).toEqual([victim.record.id])
    }
  })

  it('R-11 R-21 a cursor from a page of one owner shows another owner nothing but their own', async () => {
    const { keys, clock } = await populated(open)
    for (let n = 0; n < 6; n++) {
      await keys.create({ owner: n % 2 === 0 ? 'mine' : 'theirs', name: `n${n}` })
      // Keys of one millisecond are in the order of their ids, which is none.
      clock.advance(1)
    }
    const { cursor } = await keys.list({ owner: 'theirs', limit: 1 })
    const { items } = await keys.list({ owner: 'mine', cursor })
    // A cursor is a place in time, here before the newest of theirs.
    expect(items.map(({ owner, name }) => `${owner} ${name}`)).toEqual(['mine n4', 'mine n2', 'mine n0'])
  })

  it('R-10 R-11 with control characters, or of any length, is INPUT, and is not kept', async () => {
    const { keys, rows, victim } = await populated(open)
    const before = await rows([victim.record.id])
    for (const text of NO_TEXTS) {
      for (const field of ['owner', 'name', 'resource', 'description'] as const) {
        if (field === 'description' && text === 'a\nb') continue
        const input = { owner: 'acct_9', name: 'n', [field]: text }
        expect(await failure(() => keys.create(input))).toMatchObject({ code: 'INPUT', issues: [{ path: field }] })
      }
      expect((await failure(() => keys.revokeAll({ owner: text }))).code).toBe('INPUT')
    }
    expect((await keys.list({ owner: 'acct_9' })).items).toEqual([])
    expect(await rows([victim.record.id])).toBe(before)
  })
})

/** What a body parser or a query parser makes of `key[$ne]=`. */
const OPERATORS: readonly unknown[] = [
  { $ne: null },
  { $gt: '' },
  { $regex: '.*' },
  { toString: 'x' },
  ['inj_'],
  [{ $ne: null }],
  { length: 60, 0: 'i' },
  null,
  true,
  7,
]

describe('R-12 Operators in place of text', () => {
  it.each(OPERATORS.map((operator) => [operator]))(
    '%j is no credential and asks the store nothing',
    async (operator) => {
      const spied = spiedStore()
      const keys = createApiKeys({ prefix: 'inj_', store: spied.store })
      await keys.create({ owner: 'acct_1' })
      spied.forget()
      const given: readonly unknown[] = [operator, { key: operator }, { key: operator, secret: operator }]
      const inFacts = { rawHeaders: ['X-API-Key', operator] }
      const inMap = { headers: { 'x-api-key': operator, authorization: operator } }
      for (const credential of [...given, inFacts, inMap, { rawHeaders: operator }, { headers: operator }]) {
        expect(await judged(keys, credential as Credential)).not.toBe('admitted')
      }
      expect(spied.calls).toEqual([])
    },
  )

  it.each(OPERATORS.filter((operator) => operator !== null).map((operator) => [operator]))(
    '%j is INPUT as a condition and CONFIG in a demand',
    async (operator) => {
      const keys = createApiKeys({ prefix: 'inj_' })
      const { key } = await keys.create({ owner: 'acct_1' })
      for (const field of ['owner', 'resource', 'status', 'name', 'cursor', 'actor']) {
        expect((await failure(() => keys.list({ [field]: operator } as ListOptions))).code).toBe('INPUT')
      }
      for (const field of ['owner', 'resource', 'environment'] as const) {
        expect((await failure(() => keys.verify(key, { [field]: operator } as Demand))).code).toBe('CONFIG')
        if (field === 'environment') continue
        expect(await judged(keys, key, { [field]: () => operator as string })).toBe(`${field}_mismatch`)
      }
    },
  )
})

import { createApiKeys, type Demand, memoryStore } from 'keyward'
import { guard } from 'keyward/express'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { accessIn, failure, judged, listener } from '../support/outcome.ts'
import { alteredStore } from '../support/stores.ts'

/** Whether a key with these grants passes a demand, when they were given at creation. */
async function decided(grants: readonly string[], scopes: NonNullable<Demand['scopes']>): Promise<string> {
  const keys = createApiKeys({ prefix: 'sc_' })
  const { key } = await keys.create({ owner: 'acct_1', scopes: grants })
  return judged(keys, key, { scopes })
}

/** The same, when they stand in the store, whatever they are. */
async function decidedInStore(grants: unknown, scopes: NonNullable<Demand['scopes']>) {
  const { events, onEvent } = listener()
  const keys = createApiKeys({
    prefix: 'sc_',
    store: alteredStore((stored) => ({ ...stored, scopes: grants })),
    onEvent,
  })
  const { key } = await keys.create({ owner: 'acct_1' })
  events.length = 0
  return { code: await judged(keys, key, { scopes }), faults: events.filter(({ type }) => type === 'fault') }
}

import { serve } from '../support/serve.ts'

describe('S. Scopes: what a grant covers', () => {
  it.each([
    ['S-01', ['contacts:read'], 'contacts:read'],
    ['S-03', ['contacts:*'], 'contacts:delete'],
    ['S-03', ['contacts:*'], 'contacts:files:read'],
    ['S-03', ['contacts:files:*'], 'contacts:files:read'],
    ['S-03', ['*'], 'contacts:delete'],
    ['S-03', ['*'], 'anything'],
    ['S-13', ['a:b:c'], 'a:b:c'],
    ['S-01', ['other:read', 'contacts:read'], 'contacts:read'],
    ['S-03', ['contacts:*'], 'contacts:*'],
  ])('%s %j covers %s', async (_, grants, need) => {
    expect(await decided(grants, [need])).toBe('admitted')
  })

  it.each([
    ['S-02', ['contacts-admin:read'], 'contacts:read'],
    ['S-02', ['contact:read'], 'contacts:read'],
    ['S-02', ['contactsX:read'], 'contacts:read'],
    ['S-02', ['contacts:read'], 'contacts:reader'],
    ['S-02', ['contacts:reader'], 'contacts:read'],
    ['S-02', ['contacts:read'], 'contacts'],
    ['S-02', ['contacts'], 'contacts:read'],
    ['S-03', ['contacts:*'], 'contacts-admin:read'],
    ['S-03', ['contacts:*'], 'contacts'],
    ['S-03', ['contacts:files:*'], 'contacts:read'],
    ['S-03', ['contacts:read'], 'contacts:*'],
    ['S-03', ['contacts:*'], '*'],
    ['S-07', ['Contacts:Read'], 'contacts:read'],
    ['S-07', ['CONTACTS:*'], 'contacts:read'],
    ['S-09', [], 'contacts:read'],
    ['S-13', ['a:b'], 'a:b:c'],
    ['S-13', ['a:b:c'], 'a:b'],
  ])('%s %j does not cover %s', async (_, grants, need) => {
    expect(await decided(grants, [need])).toBe('insufficient_scope')
  })

  it('S-09 a key without scopes passes a guard that demands none, and can nothing', async () => {
    const keys = createApiKeys({ prefix: 'sc_' })
    const { key } = await keys.create({ owner: 'acct_1' })
    expect(accessIn(await keys.verify(key)).can('contacts:read')).toBe(false)
  })

  it('S-01 a list demands all of its scopes, { any } one of them', async () => {
    const grants = ['contacts:read', 'files:*']
    expect(await decided(grants, ['contacts:read', 'files:write'])).toBe('admitted')
    expect(await decided(grants, ['contacts:read', 'contacts:write'])).toBe('insufficient_scope')
    expect(await decided(grants, { any: ['contacts:write', 'files:write'] })).toBe('admitted')
    expect(await decided(grants, { any: ['contacts:write', 'users:read'] })).toBe('insufficient_scope')
  })

  it('S-01 a refusal tells what is needed', async () => {
    const keys = createApiKeys({ prefix: 'sc_' })
    const { key } = await keys.create({ owner: 'acct_1', scopes: ['a:read'] })
    expect(await keys.verify(key, { scopes: ['a:read', 'a:write'] })).toMatchObject({
      status: 403,
      needed: ['a:read', 'a:write'],
      record: { scopes: ['a:read'] },
    })
  })

  it('S-15 names that objects inherit are ordinary text', async () => {
    const odd = ['__proto__:read', 'constructor:read', 'toString:read', 'hasOwnProperty', 'prototype']
    for (const scope of odd) {
      expect(await decided([scope], [scope])).toBe('admitted')
      expect(await decided(['a:read'], [scope])).toBe('insufficient_scope')
      expect(await decided([scope], ['a:read'])).toBe('insufficient_scope')
    }
    expect(await decided(['constructor:*'], ['constructor:name'])).toBe('admitted')
    expect(Object.prototype).not.toHaveProperty('read')
  })
})

describe('S. Scopes: what stands in a store', () => {
  it.each([
    ['S-05', ['*:read'], 'contacts:write'],
    ['S-05', ['*:read'], 'contacts:read'],
    ...['contacts:re*', 'con*:read', 'contacts:**', 'contacts:.*', 'c?ntacts:read', '**', '*:*', 'contacts*', ':*'].map(
      (grant): [string, string[], string] => ['S-06', [grant], 'contacts:read'],
    ),
    ...[
      'contacts:read ',
      ' contacts:read',
      'contacts:read\u00a0',
      'contacts:\u200bread',
      'cont\u0430cts:read',
      '* ',
    ].map((grant): [string, string[], string] => ['S-08', [grant], 'contacts:read']),
    ['S-13', [':read', 'contacts:', ':', '', 'contacts::read'], 'contacts:read'],
  ])('%s %j covers nothing: not %s', async (_, grants, need) => {
    expect((await decidedInStore(grants, [need])).code).toBe('insufficient_scope')
  })

  it.each([
    ['null', null],
    ['undefined', undefined],
    ['text', 'contacts:read'],
    ['a star', '*'],
    ['an object', { 0: '*' }],
  ])('S-10 scopes that are %s cover nothing, and are told as a fault', async (_, grants) => {
    const { code, faults } = await decidedInStore(grants, ['contacts:read'])
    expect(code).toBe('insufficient_scope')
    expect(faults).toMatchObject([{ code: 'record' }])
  })

  it.each([[[1]], [[null]], [[['contacts:read']]], [[{ toString: 1 }]], [[undefined, 'contacts:read']]])(
    'S-10 scopes with members that are no text cover nothing: %j',
    async (grants) => {
      const { code, faults } = await decidedInStore(grants, ['contacts:read'])
      expect({ code, faults: faults.length }).toEqual({ code: 'insufficient_scope', faults: 1 })
    },
  )
})

describe('S. Scopes: what a demand may ask', () => {
  const keys = createApiKeys({ prefix: 'sc_' })
  const misdemands: readonly unknown[] = [
    [],
    '',
    'contacts:read',
    undefined,
    null,
    {},
    { any: [] },
    { any: 'contacts:read' },
    { any: ['contacts:read'], all: ['contacts:write'] },
    { all: ['contacts:read'] },
    [''],
    ['contacts:'],
    ['contacts:read '],
    ['con*:read'],
    [null],
    [['contacts:read']],
    7,
    true,
  ]

  it.each(misdemands.map((scopes) => [scopes]))('S-11 a guard that demands %j is not built', async (scopes) => {
    const demand = { scopes } as Demand
    const error = await failure(() => guard(keys, demand))
    expect(error.code).toBe('CONFIG')
    expect(error.message).toContain('scopes')
    expect((await failure(() => keys.verify('sc_', demand))).code).toBe('CONFIG')
  })

  it('S-11 a demand that the vocabulary does not know is a mistake, one that covers several is not', async () => {
    const declared = createApiKeys({ prefix: 'sc_', scopes: { contacts: ['read', 'write'] } })
    const misspelt = { scopes: ['contacts:raed'] } as unknown as { scopes: ['contacts:read'] }
    expect((await failure(() => guard(declared, misspelt))).message).toContain('contacts:raed')
    expect(() => guard(declared, { scopes: ['contacts:*'] })).not.toThrow()
  })

  it('S-01 S-03 a demand that covers several is met by a key that has just that, or more, with and without a vocabulary', async () => {
    const declared = createApiKeys({ prefix: 'sc_', scopes: { contacts: ['read', 'write'], files: ['read'] } })
    for (const [grants, passed] of [
      [['contacts:*'], ['contacts:*']],
      [['*'], ['contacts:*', '*']],
      [['contacts:read', 'contacts:write'], []],
      [['files:*'], []],
    ] as const) {
      for (const instance of [declared, keys as typeof declared]) {
        const { key } = await instance.create({ owner: 'acct_1', scopes: grants })
        for (const scope of ['contacts:*', '*'] as const) {
          const met = (passed as readonly string[]).includes(scope)
          expect(await judged(instance, key, { scopes: [scope] })).toBe(met ? 'admitted' : 'insufficient_scope')
          expect(accessIn(await instance.verify(key)).can(scope)).toBe(met)
        }
      }
    }
  })

  it('S-11 a list that is changed after the guard was made changes nothing', async () => {
    const { key } = await keys.create({ owner: 'acct_1', scopes: ['a:read'] })
    const scopes = ['a:read']
    const demand = Object.freeze({ scopes })
    expect(await judged(keys, key, demand)).toBe('admitted')
    scopes.push('a:write')
    expect(await judged(keys, key, demand)).toBe('insufficient_scope')
    scopes.length = 0
    expect((await failure(() => keys.verify(key, demand))).code).toBe('CONFIG')
  })
})

describe('S. Scopes: changes', () => {
  it('S-18 a scope that was taken away is missing at the next request', async () => {
    const keys = createApiKeys({ prefix: 'sc_' })
    const { key, record } = await keys.create({ owner: 'acct_1', scopes: ['a:read', 'a:write'] })
    expect(await judged(keys, key, { scopes: ['a:write'] })).toBe('admitted')
    await keys.update(record.id, { scopes: ['a:read'] })
    expect(await judged(keys, key, { scopes: ['a:write'] })).toBe('insufficient_scope')
    await keys.update(record.id, { scopes: null })
    expect(await judged(keys, key, { scopes: ['a:read'] })).toBe('insufficient_scope')
  })

  it('S-18 and in another process no later than maxLag', async () => {
    const [store, clock] = [memoryStore(), fakeClock()]
    const here = createApiKeys({ prefix: 'sc_', store, clock })
    const there = createApiKeys({ prefix: 'sc_', store, clock })
    const { key, record } = await here.create({ owner: 'acct_1', scopes: ['a:write'] })
    expect(await judged(there, key, { scopes: ['a:write'] })).toBe('admitted')
    await here.update(record.id, { scopes: ['a:read'] })
    clock.advance(1001)
    expect(await judged(there, key, { scopes: ['a:write'] })).toBe('insufficient_scope')
  })

  it('S-18 a scope that left the vocabulary is inert, and one that came back works', async () => {
    const store = memoryStore()
    const before = createApiKeys({ prefix: 'sc_', store, scopes: { contacts: ['read'], files: ['read'] } })
    const { key } = await before.create({ owner: 'acct_1', scopes: ['files:read', 'files:*'] })
    const after = createApiKeys({ prefix: 'sc_', store, scopes: { contacts: ['read'] } })
    expect(accessIn(await after.verify(key)).can('files:read' as 'contacts:read')).toBe(false)
    expect(accessIn(await before.verify(key)).can('files:read')).toBe(true)
  })

  it('a wildcard reaches no scope that its own instance does not know', async () => {
    const users = createApiKeys({ prefix: 'us_', scopes: { contacts: ['read', 'update'] }, trustedProxies: [] })
    const agents = createApiKeys({ prefix: 'ag_', scopes: { contacts: ['read'] }, trustedProxies: [] })
    const both = guard([users, agents], { scopes: ['contacts:update'] })
    const { url } = await serve((req, res) => both(req, res, () => res.end()))
    const status = async (key: string) => (await fetch(url, { headers: { 'x-api-key': key } })).status
    for (const grant of ['contacts:*', '*'] as const) {
      const user = await users.create({ owner: 'acct_1', scopes: [grant] })
      const agent = await agents.create({ owner: 'acct_1', scopes: [grant] })
      expect([await status(user.key), await status(agent.key)]).toEqual([200, 403])
      const { can } = accessIn(await agents.verify(agent.key))
      expect([can('contacts:read'), can('contacts:raed' as 'contacts:read')]).toEqual([true, false])
    }
  })
})

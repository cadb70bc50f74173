import { type CreateInput, createApiKeys, memoryStore } from 'keyward'
import { describe, expect, it } from 'vitest'
import { failure } from '../support/outcome.ts'
import { kept } from '../support/stores.ts'

const store = memoryStore()
const free = createApiKeys({ prefix: 'sc_', store })
const declared = createApiKeys({
  prefix: 'scd_',
  scopes: { contacts: ['read', 'write'], 'document-extraction': ['create'] },
})

const MALFORMED: readonly (readonly [string, string])[] = [
  ['S-05', '*:read'],
  ...['contacts:re*', 'con*:read', 'contacts:**', 'contacts:.*', 'c?ntacts:read', '**', '*:*', 'contacts*', ':*'].map(
    (scope) => ['S-06', scope] as const,
  ),
  ...[
    'contacts:read ',
    ' contacts:read',
    'contacts: read',
    'contacts:read\u00a0',
    'contacts:\u200bread',
    'cont\u0430cts:read',
    'contacts:read\n',
    'contacts\tread',
    'contacts:ré',
    'contacts,read',
    'contacts/read',
  ].map((scope) => ['S-08', scope] as const),
  ...['', ':', ':read', 'contacts:', 'contacts::read', '::'].map((scope) => ['S-13', scope] as const),
  ['S-13', 'a'.repeat(129)],
]

describe('S. Scopes: what a key may be given', () => {
  it.each(MALFORMED)('%s %j is refused when a key is made, and nothing is kept', async (_, scope) => {
    const error = await failure(() => free.create({ owner: 'nobody', scopes: ['contacts:read', scope] }))
    expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'scopes.1' }] })
    expect((await free.list({ owner: 'nobody' })).items).toEqual([])
  })

  it.each(MALFORMED)('%s %j is refused when a key is changed, and the key stays as it was', async (_, scope) => {
    const { record } = await free.create({ owner: 'acct_1', scopes: ['contacts:read'] })
    const before = await kept(store, record.id)
    const error = await failure(() => free.update(record.id, { scopes: [scope] }))
    expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'scopes.0' }] })
    expect(await kept(store, record.id)).toEqual(before)
  })

  it.each([
    ['a', ['a']],
    ['S-13 several segments', ['a:b:c', 'a:b:c:d']],
    ['S-15 names that objects inherit', ['__proto__:read', 'constructor:*', 'toString:read']],
    ['S-07 capitals', ['Contacts:Read']],
    ['stars at the end', ['*', 'contacts:*', 'contacts:files:*']],
    ['dots, dashes and underscores', ['a.b-c_d:e.f']],
    ['128 characters', ['a'.repeat(128)]],
    ['none', []],
    ['200 of them', Array.from({ length: 200 }, (_, n) => `s${n}`)],
  ])('%s may be given, and is kept as it is', async (_, scopes) => {
    expect((await free.create({ owner: 'acct_1', scopes })).record.scopes).toEqual(scopes)
  })

  it.each([
    ['201 of them', Array.from({ length: 201 }, (_, n) => `s${n}`)],
    ['text', 'contacts:read'],
    ['a set', new Set(['contacts:read'])],
    ['a list of a list', [['contacts:read']]],
    ['null', null],
    ['numbers', [1]],
    ['a list-like object', { 0: 'contacts:read', length: 1 }],
  ])('S-10 %s cannot be given', async (_, scopes) => {
    const error = await failure(() => free.create({ owner: 'acct_1', scopes } as unknown as CreateInput))
    expect(error.code).toBe('INPUT')
    expect(error.issues?.[0]?.path).toMatch(/^scopes/)
  })

  it('the list that was given is copied', async () => {
    const scopes = ['a:read']
    const { record } = await free.create({ owner: 'acct_1', scopes })
    scopes[0] = '*'
    expect((await free.get(record.id))?.scopes).toEqual(['a:read'])
    expect(Object.isFrozen(record.scopes)).toBe(true)
  })
})

describe('S. Scopes: with a vocabulary', () => {
  it.each([
    ['S-07', 'Contacts:Read'],
    ['S-02', 'contacts-admin:read'],
    ['S-02', 'contacts:raed'],
    ['S-02', 'contacts'],
    ['S-02', 'contacts:read:more'],
    ['S-06', 'users:*'],
    ['S-06', 'contacts:read:*'],
    ['S-15', '__proto__:read'],
  ])('%s %s is refused: it is not in it and covers nothing of it', async (_, scope) => {
    const scopes = [scope] as unknown as ['contacts:read']
    const error = await failure(() => declared.create({ owner: 'acct_1', scopes }))
    expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'scopes.0' }] })
    expect(error.message).toContain(scope)
  })

  it.each([['contacts:read'], ['document-extraction:create'], ['contacts:*'], ['*']] as const)(
    'S-03 %s may be given',
    async (scope) => {
      expect((await declared.create({ owner: 'acct_1', scopes: [scope] })).record.scopes).toEqual([scope])
    },
  )

  it('S-09 every key needs at least one, when it is made and when it is changed', async () => {
    const { record } = await declared.create({ owner: 'acct_1', scopes: ['contacts:read'] })
    const attempts = [
      () => declared.create({ owner: 'acct_1' }),
      () => declared.create({ owner: 'acct_1', scopes: [] }),
      () => declared.update(record.id, { scopes: [] }),
      () => declared.update(record.id, { scopes: null }),
    ]
    for (const attempt of attempts) {
      expect(await failure(attempt)).toMatchObject({ code: 'INPUT', issues: [{ path: 'scopes' }] })
    }
    expect((await declared.update(record.id, { description: 'left alone' })).scopes).toEqual(['contacts:read'])
  })

  it.each([[{}], [{ contacts: [] }], [{ 'con tacts': ['read'] }], [{ contacts: ['*'] }], [{ contacts: 'read' }], [[]]])(
    'a vocabulary of %j is a mistake',
    async (scopes) => {
      const options = { prefix: 'sc_', scopes } as { prefix: string; scopes: Record<string, string[]> }
      const error = await failure(() => createApiKeys(options))
      expect(error.code).toBe('CONFIG')
      expect(error.message).toContain('scopes')
    },
  )
})

import { createApiKeys, type Demand } from 'keyward'
import { guard as guardOnFetch } from 'keyward/fetch'
import { expect, it } from 'vitest'
import type { AnyDemand } from '../../src/model/demand.ts'
import { oncePerDemand } from '../../src/policy/once-per-demand.ts'
import { judged } from '../support/outcome.ts'

function counted() {
  let made = 0
  const once = oncePerDemand((demand) => {
    made++
    return demand
  })
  return { once, made: () => made }
}

it('makes one thing for all demands that say the same, in whichever order', () => {
  const { once, made } = counted()
  const first = once({ scopes: ['a:read'], limits: { minute: 5 } })
  expect(once({ limits: { minute: 5 }, scopes: ['a:read'] })).toBe(first)
  expect(once(Object.freeze({ limits: { minute: 5 }, scopes: ['a:read'] }) as AnyDemand)).toBe(first)
  expect(made()).toBe(1)
})

const same = () => 'p1'

it.each<[string, AnyDemand, AnyDemand]>([
  ['a scope more', { scopes: ['a:read'] }, { scopes: ['a:read', 'b:read'] }],
  ['another scope', { scopes: ['a:read'] }, { scopes: ['a:write'] }],
  ['one of them and all of them', { scopes: { any: ['a:read'] } }, { scopes: ['a:read'] }],
  ['a list, and an object with its members', { scopes: ['a:read'] }, { scopes: { 0: 'a:read' } as never }],
  ['a member more', { scopes: ['a:read'] }, { scopes: ['a:read'], optional: true }],
  ['a member that is undefined', { scopes: ['a:read'], cost: 1 }, { scopes: ['a:read'], cost: undefined as never }],
  ['another limit', { limits: { minute: 1 } }, { limits: { minute: 2 } }],
  ['another function that reads alike', { resource: () => 'p1' }, { resource: () => 'p1' }],
  ['a function and a text', { resource: same }, { resource: 'p1' }],
  [
    'objects of a class, which may hide what they are',
    { answers: new Map() } as never,
    { answers: new Map() } as never,
  ],
])('tells apart: %s', (_, a, b) => {
  const { once, made } = counted()
  expect(once(a)).not.toBe(once(b))
  expect(made()).toBe(2)
})

it('looks at a demand that could have changed again, and never at one that is frozen throughout', async () => {
  const keys = createApiKeys({ prefix: 'dm_' })
  const { key } = await keys.create({ owner: 'acct_1', scopes: ['a:read'] })
  const scopes = ['a:read']
  const demand: Demand = { scopes }
  expect(await judged(keys, key, demand)).toBe('admitted')
  scopes.push('b:read')
  expect(await judged(keys, key, demand)).toBe('insufficient_scope')
  scopes.pop()
  expect(await judged(keys, key, demand)).toBe('admitted')
  expect(await judged(keys, key, { scopes: ['a:read', 'b:read'] })).toBe('insufficient_scope')
})

it('forgets the demands that were not used for longest, and makes them anew', () => {
  const { once, made } = counted()
  for (let n = 0; n < 20; n++) once({ scopes: [`s${n}:read`] })
  once({ scopes: ['s19:read'] })
  expect(made()).toBe(20)
  once({ scopes: ['s0:read'] })
  expect(made()).toBe(21)
})

it('a demand that is wrong is wrong each time, and one that ends in itself too', async () => {
  const keys = createApiKeys({ prefix: 'dm_' })
  const { key } = await keys.create({ owner: 'acct_1' })
  const endless: Record<string, unknown> = {}
  endless.limits = endless
  for (const wrong of [{ scopes: [] }, { scope: ['a:read'] }, [], 'a:read', null, endless]) {
    for (let n = 0; n < 2; n++) {
      expect(() => keys.verify(key, wrong as Demand)).toThrow(expect.objectContaining({ code: 'CONFIG' }))
    }
  }
})

it.each(['scopes', 'owner', 'resource', 'limits', 'optional', 'cost'])(
  'what demands %s by its class demands it in vain',
  async (field) => {
    class Base {}
    Object.defineProperty(Base.prototype, field, { get: () => ['a:write'] })
    class Special extends Base {
      answers = {}
    }
    const keys = createApiKeys({ prefix: 'dm_' })
    const { key } = await keys.create({ owner: 'acct_1' })
    const refused = expect.objectContaining({ code: 'CONFIG', issues: [expect.objectContaining({ path: field })] })
    expect(() => guardOnFetch(keys, new Special() as Demand, () => new Response())).toThrow(refused)
    const addressed = Object.assign(new Special(), { address: () => '203.0.113.7' })
    expect(() => guardOnFetch(keys, addressed as Demand, () => new Response())).toThrow(refused)
    expect(() => keys.verify(key, new Special() as Demand)).toThrow(refused)
  },
)

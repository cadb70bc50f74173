import { type CreateInput, createApiKeys, type Demand, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { codeOf, countingHasher, facts, judged, listener, refusalIn } from '../support/outcome.ts'
import { carried, SOURCES } from '../support/presenting.ts'
import { spiedStore, wrongSecretFor } from '../support/stores.ts'

const KEY: CreateInput = {
  owner: 'acct_1',
  environment: 'live',
  resource: 'agent:1',
  scopes: ['a:read'],
  limits: { minute: 0 },
  allowedIps: ['10.0.0.0/8'],
}

/** A demand that a key as above breaks in every way. */
const DEMAND: Demand = {
  environment: 'test',
  owner: 'acct_2',
  resource: 'agent:2',
  scopes: ['a:write'],
}

/** What is wrong with key and demand at first, and how each is mended, in the order in which they are told. */
const MENDS: readonly (readonly [code: string, mend: (made: Bench) => unknown])[] = [
  ['revoked', (made) => made.becomes({ status: 'disabled' })],
  ['disabled', (made) => made.becomes({ status: 'active' })],
  ['expired', (made) => made.becomes({ expiresAt: undefined })],
  ['environment_mismatch', (made) => made.demands({ environment: 'live' })],
  ['ip_not_allowed', (made) => made.comesFrom('10.1.2.3')],
  ['owner_mismatch', (made) => made.demands({ owner: 'acct_1' })],
  ['resource_mismatch', (made) => made.demands({ resource: 'agent:1' })],
  ['insufficient_scope', (made) => made.demands({ scopes: ['a:read'] })],
  ['rate_limited', (made) => made.becomes({ limits: { minute: { limit: 1, ms: 60_000 } } })],
]

type Bench = Awaited<ReturnType<typeof bench>>

/** A key that is wrong in every way at once, in a store that lets its record be changed in every way. */
async function bench(pair = false) {
  const [clock, spied] = [fakeClock(), spiedStore()]
  const options = { prefix: { live: 'lv_', test: 'ts_' }, pair, store: spied.store, clock, cache: false } as const
  const keys = createApiKeys(options)
  const { record, ...texts } = await keys.create(KEY)
  let [demand, address] = [DEMAND, '203.0.113.9']
  const becomes = async (changes: object) => {
    const stored = await spied.store.find(record.id)
    if (stored === undefined) throw new Error('the key is gone')
    const changed = Object.fromEntries(
      Object.entries({ ...stored, ...changes, version: stored.version + 1 }).filter(([, value]) => value !== undefined),
    )
    await spied.store.replace(changed as never, stored.version)
  }
  await becomes({ status: 'revoked', expiresAt: clock.now() })
  return {
    keys,
    spied,
    texts,
    id: record.id,
    becomes,
    demands: (changes: Demand) => {
      demand = { ...demand, ...changes }
    },
    comesFrom: (from: string) => {
      address = from
    },
    ask: (given: { readonly key: string; readonly secret?: string } = texts) =>
      keys.verify({ ...given, address }, demand),
  }
}

describe('the order of the pipeline', () => {
  it.each([false, true])('tells the first thing that is wrong, in one fixed order (pair: %s)', async (pair) => {
    const made = await bench(pair)
    for (const [code, mend] of MENDS) {
      expect(codeOf(await made.ask())).toBe(code)
      await mend(made)
    }
    expect(codeOf(await made.ask())).toBe('admitted')
    expect(codeOf(await made.ask())).toBe('rate_limited')
  })

  it('never asks for a take while a rule is broken', async () => {
    const made = await bench()
    for (const [code, mend] of MENDS) {
      if (code !== 'rate_limited') {
        await made.ask()
        expect(made.spied.asked('take')).toBe(0)
      }
      await mend(made)
    }
    await made.ask()
    expect(made.spied.asked('take')).toBe(1)
  })

  it('tells nothing before the secret is proved: at every stage a wrong one is invalid_key and no more', async () => {
    const made = await bench()
    const wrong = await wrongSecretFor(made.id, 'lv_')
    for (const [, mend] of MENDS) {
      expect(refusalIn(await made.ask(wrong))).toEqual({ ok: false, code: 'invalid_key', status: 401 })
      await mend(made)
    }
    expect(made.spied.asked('take')).toBe(0)
  })

  it('tells the record with every refusal once the secret is proved', async () => {
    const made = await bench()
    for (const [code, mend] of MENDS) {
      expect(refusalIn(await made.ask())).toMatchObject({ code, record: { id: made.id, owner: 'acct_1' } })
      await mend(made)
    }
  })

  it.each(SOURCES)('looks at shape before the store and before any hash ($source)', async (source) => {
    const spied = spiedStore()
    const { hasher, computed } = countingHasher()
    const keys = createApiKeys({ prefix: 'or_', pair: source.pair, store: spied.store, hasher })
    const { key, secret } = await keys.create({ owner: 'acct_1' })
    spied.forget()
    const spoilt = { key: `${key.slice(0, -1)}${key.endsWith('x') ? 'y' : 'x'}`, ...(secret && { secret }) }
    expect(await judged(keys, carried(source, spoilt))).toBe('invalid_key')
    expect([spied.calls, computed()]).toEqual([[], 0])
  })

  it('asks the functions of a demand only once the secret and the state are right', async () => {
    const keys = createApiKeys({ prefix: 'or_' })
    const { key, record } = await keys.create({ owner: 'acct_1', limits: { minute: 5 } })
    const asked: string[] = []
    const named =
      <T>(name: string, value: T) =>
      () => {
        asked.push(name)
        return value
      }
    const demand = { owner: named('owner', 'acct_1'), resource: named('resource', '*'), cost: named('cost', 1) }
    for (const text of [(await wrongSecretFor(record.id, 'or_')).key, 'or_x', '']) await keys.verify(text, demand)
    await keys.disable(record.id)
    await keys.verify(key, demand)
    expect(asked).toEqual([])
    await keys.enable(record.id)
    expect(await judged(keys, key, demand)).toBe('admitted')
    expect(asked).toEqual(['owner', 'resource', 'cost'])
  })

  it('an optional demand goes on without identity only when no source header is there at all', async () => {
    const keys = createApiKeys({ prefix: 'or_' })
    const optional = { optional: true } as const
    expect(await keys.verify(facts(), optional)).toMatchObject({ ok: true, access: undefined })
    expect(await judged(keys, facts(['Authorization', '']), optional)).toBe('missing_credentials')
    expect(await judged(keys, facts(['X-API-Key', 'foreign']), optional)).toBe('invalid_key')
    expect(await judged(keys, facts(['X-API-Key', (await keys.create({ owner: 'a' })).key]), optional)).toBe('admitted')
  })
})

describe('environments', () => {
  const keys = createApiKeys({ prefix: { live: 'lv_', test: 'ts_' } })

  it('a key passes the demand of its own environment, and no other', async () => {
    const { key } = await keys.create({ owner: 'acct_1', environment: 'test' })
    expect(await judged(keys, key)).toBe('admitted')
    expect(await judged(keys, key, { environment: 'test' })).toBe('admitted')
    expect(refusalIn(await keys.verify(key, { environment: 'live' }))).toMatchObject({
      code: 'environment_mismatch',
      status: 403,
    })
  })

  it('a text under the prefix of another environment is nobody’s, though its id and secret are right', async () => {
    const { key, record } = await keys.create({ owner: 'acct_1', environment: 'test' })
    expect(await judged(keys, key.replace(/^ts_/, 'lv_'))).toBe('invalid_key')
    expect(await judged(keys, (await wrongSecretFor(record.id, 'lv_')).key)).toBe('invalid_key')
  })

  it('a key that was made before there were environments has none, and passes no demand of one', async () => {
    const store = memoryStore()
    const { key } = await createApiKeys({ prefix: 'lv_', store }).create({ owner: 'acct_1' })
    const later = createApiKeys({ prefix: { live: 'lv_', test: 'ts_' }, store })
    expect(await judged(later, key)).toBe('admitted')
    expect(await judged(later, key, { environment: 'live' })).toBe('environment_mismatch')
  })

  it.each(['prod', 'Live', '', '__proto__', 7, null])(
    'a demand of %j, which there is not, is a mistake',
    async (environment) => {
      const demand = { environment } as Demand
      await expect(async () => keys.verify('lv_', demand)).rejects.toMatchObject({ code: 'CONFIG' })
    },
  )

  it('an instance without environments has none to demand', async () => {
    const plain = createApiKeys({ prefix: 'or_' })
    await expect(async () => plain.verify('or_', { environment: 'live' })).rejects.toMatchObject({ code: 'CONFIG' })
  })
})

/** Owner and resource of a key, a demand, and what becomes of it. */
const OWNERSHIP: readonly (readonly [string, string | undefined, Demand, string])[] = [
  ['acct_1', undefined, {}, 'admitted'],
  ['acct_1', 'agent:1', {}, 'resource_mismatch'],
  ['acct_1', 'agent:1', { resource: '*' }, 'admitted'],
  ['acct_1', 'agent:1', { resource: 'agent:1' }, 'admitted'],
  ['acct_1', 'agent:1', { resource: 'agent:2' }, 'resource_mismatch'],
  ['acct_1', 'agent:1', { resource: 'Agent:1' }, 'resource_mismatch'],
  ['acct_1', 'agent:1', { resource: 'agent:1/' }, 'resource_mismatch'],
  ['acct_1', undefined, { resource: 'agent:2' }, 'admitted'],
  ['acct_1', 'agent:1', { resource: () => '' }, 'resource_mismatch'],
  ['acct_1', undefined, { resource: () => '' }, 'resource_mismatch'],
  ['acct_1', undefined, { resource: () => undefined }, 'resource_mismatch'],
  ['acct_1', 'agent:1', { resource: () => 'agent:1' }, 'admitted'],
  ['acct_1', undefined, { owner: 'acct_1' }, 'admitted'],
  ['acct_1', undefined, { owner: 'acct_2' }, 'owner_mismatch'],
  ['acct_1', undefined, { owner: 'ACCT_1' }, 'owner_mismatch'],
  ['acct_1', undefined, { owner: () => undefined }, 'owner_mismatch'],
  ['acct_1', undefined, { owner: () => '' }, 'owner_mismatch'],
  ['*', undefined, { owner: 'acct_1' }, 'owner_mismatch'],
]

describe('owners and resources', () => {
  it.each(OWNERSHIP)('a key of %s for %s on %o: %s', async (owner, resource, demand, code) => {
    const { onEvent } = listener()
    const keys = createApiKeys({ prefix: 'or_', onEvent })
    const { key } = await keys.create({ owner, resource })
    expect(await judged(keys, key, demand)).toBe(code)
  })
})

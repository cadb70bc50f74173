import { type CreateInput, createApiKeys, type Demand, type Explainable, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { accessIn, codeOf, facts, failure, listener } from '../support/outcome.ts'
import { carried, SOURCES } from '../support/presenting.ts'
import { alteredStore, sabotagedStore, spiedStore, wrongSecretFor } from '../support/stores.ts'

const STATES = ['revoked', 'disabled', 'expired']
const RULES = [...STATES, 'environment', 'address', 'owner', 'resource', 'scopes']
const PROVED = ['credential', 'shape', 'find', 'secret']

async function instance(input: Partial<CreateInput> = {}) {
  const [clock, spied, heard] = [fakeClock(), spiedStore(), listener()]
  const keys = createApiKeys({ prefix: 'ex_', store: spied.store, clock, onEvent: heard.onEvent })
  const made = await keys.create({ owner: 'acct_1', ...input })
  heard.events.length = 0
  spied.forget()
  const steps = async (given: Explainable, demand?: Demand) => {
    const explained = await keys.explain(given, demand)
    return {
      ...explained,
      names: explained.steps.map(({ step }) => step),
      failed: explained.steps.filter(({ ok }) => !ok).map(({ step }) => step),
    }
  }
  return { keys, clock, spied, heard, steps, ...made }
}

describe('explain', () => {
  it('says of a text of another kind what ours begin with', async () => {
    const { key, steps } = await instance()
    for (const text of [`Bearer ${key}`, `"${key}"`, 'sk-0123456789']) {
      const { code, steps: all } = await steps(text)
      expect([code, all.at(-1)?.detail]).toEqual(['invalid_key', 'none that begins with ex_'])
    }
  })

  it('walks the steps in the order of verification, and says what it saw at each', async () => {
    const { key, record, steps } = await instance({ limits: { minute: 60 }, scopes: ['a:read'] })
    const { ok, code, names, failed, steps: all } = await steps({ key, address: '203.0.113.9' }, { scopes: ['a:read'] })
    expect({ ok, code, failed }).toEqual({ ok: true, code: undefined, failed: [] })
    const shown = names.filter((name) => [...PROVED, ...RULES, 'limits'].includes(name))
    expect(shown).toEqual([...PROVED, ...RULES, 'limits'])
    const told = Object.fromEntries(all.map(({ step, detail }) => [step, detail]))
    expect(told.find).toContain(record.id)
    expect(told.limits).toContain('60 of 60')
    expect(told.scopes).toContain('a:read')
    for (const { detail } of all) expect(detail).not.toBe('')
  })

  it.each([
    ['nothing', facts(), 'missing_credentials', ['credential']],
    ['a foreign key', facts(['X-API-Key', 'sk_foreign']), 'invalid_key', ['credential']],
    ['two headers', facts(['X-API-Key', 'a'], ['X-API-Key', 'b']), 'ambiguous_credentials', ['credential']],
    ['a malformed key', 'ex_nonsense', 'invalid_key', ['credential', 'shape']],
  ])('ends where nothing is known behind it: at %s', async (_, given, code, walked) => {
    const { steps, spied } = await instance()
    const explained = await steps(given)
    expect(explained).toMatchObject({ ok: false, code, names: walked, failed: [walked.at(-1)] })
    expect(spied.calls).toEqual([])
  })

  it('says in words what is not there', async () => {
    const { keys, key, record, steps } = await instance()
    expect((await steps(key)).steps.find(({ step }) => step === 'limits')?.detail).toBe('there are none')
    expect(await steps(facts(), { optional: true })).toMatchObject({ ok: true, names: ['credential'], failed: [] })
    await keys.remove(record.id)
    expect((await steps(key)).steps.at(-1)?.detail).toBe(`there is no key ${record.id}`)
  })

  it('ends at an unknown id, and at a wrong secret', async () => {
    const { steps, record } = await instance()
    const { key: unknown } = await wrongSecretFor('0'.repeat(12), 'ex_')
    expect(await steps(unknown)).toMatchObject({
      code: 'invalid_key',
      names: ['credential', 'shape', 'find'],
      failed: ['find'],
    })
    const { key: wrong } = await wrongSecretFor(record.id, 'ex_')
    expect(await steps(wrong)).toMatchObject({ code: 'invalid_key', names: PROVED, failed: ['secret'] })
  })

  it('shows everything that is wrong at once, and the code of the first', async () => {
    const { keys, steps, key, record, clock } = await instance({
      limits: { minute: 0 },
      allowedIps: ['10.0.0.0/8'],
      resource: 'agent:1',
      expiresAt: new Date(Date.UTC(2026, 0, 2)),
    })
    await keys.disable(record.id)
    clock.advance('1d')
    const demand = { owner: 'acct_2', resource: 'agent:2', scopes: ['a:read'] }
    const failed = ['disabled', 'expired', 'address', 'owner', 'resource', 'scopes', 'limits']
    expect(await steps({ key, address: '203.0.113.9' }, demand)).toMatchObject({ ok: false, code: 'disabled', failed })
  })

  it('says what verify says, whatever is wrong', async () => {
    const { keys, key, record, clock } = await instance({
      limits: { minute: 2 },
      scopes: ['a:read'],
      resource: 'agent:1',
    })
    const demands: Demand[] = [
      {},
      { resource: '*' },
      { resource: '*', scopes: ['b:read'] },
      { owner: 'x' },
      { resource: '*', cost: 3 },
    ]
    const agree = async () => {
      for (const demand of demands) {
        const explained = await keys.explain(key, demand)
        expect(explained.code ?? 'admitted').toBe(codeOf(await keys.verify(key, demand)))
      }
    }
    await agree()
    await keys.verify(key, { resource: '*' })
    await agree()
    clock.advance('1m')
    await keys.disable(record.id)
    await agree()
    await keys.revoke(record.id)
    await agree()
  })

  it('spends nothing, marks nothing, tells nobody and changes nothing', async () => {
    const { keys, steps, key, record, heard, spied } = await instance({ limits: { minute: 5 } })
    const before = await spied.store.find(record.id)
    for (let i = 0; i < 20; i++) await steps(key, { cost: 3 })
    await steps((await wrongSecretFor(record.id, 'ex_')).key)
    await keys.flush()
    expect(heard.events).toEqual([])
    expect(spied.calls.filter(({ verb }) => verb !== 'find' && verb !== 'take')).toEqual([])
    expect(await spied.store.find(record.id)).toEqual(before)
    expect(accessIn(await keys.verify(key, { cost: 0 })).readings).toMatchObject([{ remaining: 5 }])
  })

  it('tells of limits what is left and what the request costs', async () => {
    const { keys, steps, key } = await instance({ limits: { minute: 5, hour: 100 } })
    await keys.verify(key, { cost: 4 })
    expect(await steps(key, { cost: 1 })).toMatchObject({ ok: true })
    const refused = await steps(key, { cost: 2 })
    expect(refused).toMatchObject({ ok: false, code: 'rate_limited', failed: ['limits'] })
    const limits = refused.steps.find(({ step }) => step === 'limits')
    expect(limits?.detail).toMatch(/minute: 1 of 5.*hour: 96 of 100.*2/)
    expect(await steps(key, { cost: 0 })).toMatchObject({ ok: true })
  })

  it('tells which secret was used while an overlap lasts', async () => {
    const { keys, steps, key, record } = await instance()
    const { key: fresh } = await keys.rotate(record.id, { overlap: '1h' })
    const secret = async (text: string) => (await steps(text)).steps.find(({ step }) => step === 'secret')?.detail
    expect(await secret(key)).toContain('previous')
    expect(await secret(fresh)).toContain('current')
  })

  it.each(SOURCES)('reads requests as verify does ($source)', async (source) => {
    const keys = createApiKeys({ prefix: 'ex_', pair: source.pair })
    const made = await keys.create({ owner: 'acct_1' })
    expect(await keys.explain(carried(source, made))).toMatchObject({ ok: true })
  })

  it('never shows a secret, a hash or a text that looks like a key', async () => {
    const { keys, key, record, spied } = await instance({ limits: { minute: 5 } })
    const stored = await spied.store.find(record.id)
    const wrong = await wrongSecretFor(record.id, 'ex_')
    const told = JSON.stringify([await keys.explain(key), await keys.explain(wrong.key), await keys.explain(`${key}x`)])
    for (const secret of [key.slice(15), wrong.key.slice(15), stored?.hash ?? '?']) expect(told).not.toContain(secret)
  })
})

describe('explain of an id', () => {
  it('looks at a key whose text is not at hand: every rule, no secret', async () => {
    const { steps, record } = await instance({ scopes: ['a:read'], allowedIps: ['10.0.0.0/8'] })
    const seen = await steps({ id: record.id, address: '10.1.2.3' }, { scopes: ['a:read'] })
    expect(seen).toMatchObject({ ok: true, failed: [] })
    expect(seen.names).not.toContain('secret')
    expect(await steps({ id: record.id }, { scopes: ['b:read'] })).toMatchObject({
      code: 'ip_not_allowed',
      failed: ['address', 'scopes'],
    })
  })

  it('is NOT_FOUND for one that is unknown, or of another instance', async () => {
    const { keys, spied } = await instance()
    const other = await createApiKeys({ prefix: 'ey_', store: spied.store }).create({ owner: 'acct_1' })
    for (const id of ['0'.repeat(12), '', 'x', other.record.id, '__proto__']) {
      expect((await failure(() => keys.explain({ id }))).code).toBe('NOT_FOUND')
    }
  })
})

describe('explain, when something fails', () => {
  it.each(['find', 'take'] as const)('says unavailable where verify does: the store’s %s fails', async (verb) => {
    const sabotaged = sabotagedStore()
    const keys = createApiKeys({ prefix: 'ex_', store: sabotaged.store, cache: false })
    const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 5 } })
    sabotaged.break(verb, () => Promise.reject(new Error('redis://:hunter2@host')))
    const explained = await keys.explain(key)
    expect(explained).toMatchObject({ ok: false, code: 'unavailable' })
    expect(explained.steps.at(-1)).toMatchObject({ ok: false })
    expect(JSON.stringify(explained)).not.toContain('hunter2')
  })

  it('says of a key that is changed meanwhile that it is so', async () => {
    const { store, break: sabotage } = sabotagedStore()
    const keys = createApiKeys({ prefix: 'ex_', store })
    const { key, record } = await keys.create({ owner: 'acct_1', limits: { minute: 5 } })
    sabotage('take', () => ({ stale: store.find(record.id) }))
    const { code, steps } = await keys.explain(key)
    expect([code, steps.at(-1)]).toEqual([
      'unavailable',
      { step: 'limits', ok: false, detail: 'the key was changed meanwhile; ask again' },
    ])
  })

  it.each([{ expiresAt: 'soon' }, { allowedIps: 5 }])('says that a damaged record is none: %j', async (damage) => {
    const store = alteredStore((stored) => ({ ...stored, ...damage }), memoryStore())
    const keys = createApiKeys({ prefix: 'ex_', store })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const { ok, code, steps } = await keys.explain(key)
    expect([ok, code]).toEqual([false, 'invalid_key'])
    expect(steps.at(-1)).toEqual({ step: 'find', ok: false, detail: `the record of ${record.id} is damaged` })
  })

  it('a demand that is wrong is a mistake, as for verify', async () => {
    const { keys, key } = await instance()
    expect((await failure(() => keys.explain(key, { scopes: [] }))).code).toBe('CONFIG')
  })
})

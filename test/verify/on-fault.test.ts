import express from 'express'
import { type ApiKeysOptions, createApiKeys, type Demand, type KeyStore, memoryStore } from 'keyward'
import { guard } from 'keyward/express'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { accessIn, failure, judged, listener } from '../support/outcome.ts'
import { serve } from '../support/serve.ts'
import { never, sabotagedStore } from '../support/stores.ts'

const gone = () => Promise.reject(new Error('no connection to redis://:hunter2@10.0.0.9'))

async function instance(options: Partial<ApiKeysOptions> = {}, input: object = {}) {
  const [inner, heard, clock] = [memoryStore(), listener(), fakeClock()]
  const sabotaged = sabotagedStore(inner)
  const move = inner.move as NonNullable<KeyStore['move']>
  const keys = createApiKeys({
    prefix: 'of_',
    store: { ...sabotaged.store, move },
    storeTimeout: 20,
    limits: { default: { minute: 10 }, onFault: 'open' },
    clock,
    onEvent: heard.onEvent,
    ...options,
  })
  const made = await keys.create({ owner: 'acct_1', ...input })
  heard.events.length = 0
  return { keys, sabotaged, heard, clock, ...made }
}

describe("D-31 limits: { onFault: 'open' } when take", () => {
  it.each([
    ['rejects', gone],
    ['never answers', never],
    [
      'throws',
      () => {
        throw new Error('gone')
      },
    ],
  ])('%s: admits a key that is known, without readings, and tells it each time', async (_, fault) => {
    const { keys, key, record, sabotaged, heard } = await instance()
    expect(await judged(keys, key)).toBe('admitted')
    sabotaged.break('take', fault)
    heard.events.length = 0
    for (let time = 0; time < 3; time++) expect(accessIn(await keys.verify(key)).readings).toEqual([])
    const whose = { id: record.id, owner: 'acct_1' }
    expect(heard.of('admitted')).toMatchObject(Array(3).fill({ ...whose, unmetered: true }))
    expect(heard.of('fault')).toMatchObject(Array(3).fill({ ...whose, code: 'take' }))
    expect(JSON.stringify(heard.events)).not.toMatch(/hunter2/)
    sabotaged.break('take', undefined)
    heard.events.length = 0
    expect(accessIn(await keys.verify(key)).readings).toMatchObject([{ remaining: 8 }])
    expect(heard.of('admitted')).toEqual([expect.not.objectContaining({ unmetered: true })])
  })

  it('counts above the limit, which the store no longer tells', async () => {
    const { keys, key, sabotaged } = await instance({}, { limits: { minute: 1 } })
    expect(await judged(keys, key)).toBe('admitted')
    expect(await judged(keys, key)).toBe('rate_limited')
    sabotaged.break('take', gone)
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('fails for a cold key: the record that was just read is current', async () => {
    for (const cache of [undefined, false] as const) {
      const { keys, key, sabotaged } = await instance({ cache })
      sabotaged.break('take', gone)
      expect(await judged(keys, key)).toBe('admitted')
    }
  })

  it('fails for maxLag: no longer, whether the record was read or proved by a take', async () => {
    const { keys, key, sabotaged, clock } = await instance()
    expect(await judged(keys, key)).toBe('admitted')
    for (let second = 0; second < 5; second++) {
      clock.advance('1s')
      expect(await judged(keys, key)).toBe('admitted')
    }
    sabotaged.break('take', gone)
    clock.advance(1_000)
    expect(await judged(keys, key)).toBe('admitted')
    clock.advance(1)
    expect(await judged(keys, key)).toBe('unavailable')
  })

  it('and all else fails: nothing is admitted that has to be read', async () => {
    const { keys, key, sabotaged } = await instance({ cache: false })
    expect(await judged(keys, key)).toBe('admitted')
    sabotaged.break('take', gone)
    sabotaged.break('find', gone)
    expect(await judged(keys, key)).toBe('unavailable')
  })

  it('is late after the clock was set back: a record does not become younger', async () => {
    const { keys, key, sabotaged, clock } = await instance()
    expect(await judged(keys, key)).toBe('admitted')
    sabotaged.break('take', gone)
    clock.advance('2s')
    clock.set(Date.UTC(2020, 0, 1))
    expect(await judged(keys, key)).toBe('unavailable')
  })

  it('fails under a clock without a monotonic one: set back, it makes no proof young again', async () => {
    const clock = { at: Date.UTC(2026, 0, 1), now: () => clock.at }
    const { keys, key, sabotaged } = await instance({ clock })
    expect(await judged(keys, key)).toBe('admitted')
    sabotaged.break('take', gone)
    clock.at += 3_600_000
    expect(await judged(keys, key)).toBe('unavailable')
    clock.at -= 7_200_000
    expect(await judged(keys, key)).toBe('unavailable')
  })

  it('fails excuses nothing that no counter would ever admit: a limit of 0, a cost above the limit', async () => {
    const { keys, key, sabotaged } = await instance()
    const none = await keys.create({ owner: 'acct_1', limits: { hour: 0 } })
    for (const each of [key, none.key]) await keys.verify(each)
    sabotaged.break('take', gone)
    expect(await judged(keys, none.key)).toBe('unavailable')
    expect(await judged(keys, key, { cost: 11 })).toBe('unavailable')
    expect(await judged(keys, key, { limits: { hour: 0 } })).toBe('unavailable')
    expect(await judged(keys, key, { cost: 10 })).toBe('admitted')
  })

  it('shows a route of several guards what was taken, and lets the later ones pass', async () => {
    const { keys, key, sabotaged } = await instance()
    let faults = 0
    sabotaged.break('take', (ask) => (++faults === 1 ? ask() : gone()))
    const own = guard(keys, { limits: [{ name: 'route', limit: 5, window: '1m' }] })
    const app = express()
    app.get('/', guard(keys), own, (req, res) => void res.json(req.apiKey?.readings))
    const { url } = await serve(app)
    const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } })
    expect([response.status, await response.json()]).toEqual([200, [expect.objectContaining({ remaining: 9 })]])
    expect(faults).toBe(2)
  })

  it('sends no RateLimit field for windows that were not counted', async () => {
    const { keys, key, sabotaged } = await instance()
    sabotaged.break('take', gone)
    const app = express()
    app.get('/', guard(keys), (_, res) => void res.end())
    const { url } = await serve(app)
    const { status, headers } = await fetch(url, { headers: { authorization: `Bearer ${key}` } })
    expect([status, headers.get('ratelimit'), headers.get('ratelimit-policy')]).toEqual([200, null, null])
  })

  it('is what explain says, too', async () => {
    const { keys, key, sabotaged, heard } = await instance()
    sabotaged.break('take', gone)
    const { ok, steps } = await keys.explain(key)
    expect(ok).toBe(true)
    expect(steps.find(({ step }) => step === 'limits')).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/onFault/),
    })
    expect(heard.of('fault')).toEqual([])
  })
})

describe("D-31 limits: { onFault: 'open' } never opens", () => {
  it.each<[string, object, Demand]>([
    ['where credit is taken', { credits: { remaining: 5 } }, {}],
    ['where credit is held', { credits: { remaining: 5 } }, { reserve: 3 }],
    ['where a demand reserves, whatever the key has', {}, { reserve: 3 }],
    ['where nothing would be taken from a balance', { credits: { remaining: 5 } }, { cost: 0 }],
  ])('%s', async (_, input, demand) => {
    const { keys, key, sabotaged } = await instance({}, input)
    expect(await judged(keys, key, demand)).toBe('admitted')
    sabotaged.break('take', gone)
    expect(await judged(keys, key, demand)).toBe('unavailable')
  })

  it('identity, state, scopes, addresses, owner and resource', async () => {
    const input = { scopes: ['a:read'], allowedIps: ['192.0.2.0/24'], resource: 'agent:1' }
    const { keys, key, record, sabotaged, clock } = await instance({}, { ...input, expiresAt: '2026-01-01T00:00:01Z' })
    const address = '192.0.2.7'
    const resource = 'agent:1'
    expect(await judged(keys, { key, address }, { resource })).toBe('admitted')
    sabotaged.break('take', gone)
    expect(await judged(keys, { key, address }, { resource })).toBe('admitted')
    expect(await judged(keys, key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A'))).toBe('invalid_key')
    expect(await judged(keys, { key, address: '198.51.100.1' }, { resource })).toBe('ip_not_allowed')
    expect(await judged(keys, { key, address }, { resource: 'agent:2' })).toBe('resource_mismatch')
    expect(await judged(keys, { key, address }, { resource, owner: 'acct_2' })).toBe('owner_mismatch')
    expect(await judged(keys, { key, address }, { resource, scopes: ['b:read'] })).toBe('insufficient_scope')
    clock.advance(1_000)
    expect(await judged(keys, { key, address }, { resource })).toBe('expired')
    await keys.revoke(record.id)
    expect(await judged(keys, { key, address }, { resource })).toBe('revoked')
  })

  it('for a revocation that is awaited in this process, however young the record was', async () => {
    const { keys, key, record, sabotaged } = await instance()
    expect(await judged(keys, key)).toBe('admitted')
    await keys.revoke(record.id)
    sabotaged.break('take', gone)
    sabotaged.break('find', gone)
    expect(await judged(keys, key)).toBe('unavailable')
  })

  it('for an answer of take that is nonsense, or a record that keeps changing', async () => {
    const { keys, key, sabotaged } = await instance()
    expect(await judged(keys, key)).toBe('admitted')
    sabotaged.break('take', () => ({ ok: 'perhaps' }))
    expect(await judged(keys, key)).toBe('unavailable')
  })

  it.each([undefined, 'closed'] as const)('where it is %s', async (onFault) => {
    const { keys, key, sabotaged } = await instance({ limits: { default: { minute: 10 }, onFault } })
    expect(await judged(keys, key)).toBe('admitted')
    sabotaged.break('take', gone)
    expect(await judged(keys, key)).toBe('unavailable')
  })
})

describe('limits.onFault', () => {
  it.each([
    [{ limits: { onFault: 'opened' } }, /limits.onFault must be one of open, closed, not "opened"/],
    [{ limits: { onFault: true } }, /limits.onFault must be one of open, closed, not true/],
    [{ limits: { onfault: 'open' } }, /limits.onfault is not an option/],
    [{ limits: { onFault: 'open' }, credits: 'owner' }, /limits.onFault cannot be 'open' where every request takes/],
  ])('is CONFIG as %j', async (options, message) => {
    const error = await failure(() => createApiKeys({ prefix: 'of_', ...options } as ApiKeysOptions))
    expect(error).toMatchObject({ code: 'CONFIG', message: expect.stringMatching(message) })
  })
})

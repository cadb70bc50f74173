import { type CreateInput, createApiKeys, type Demand } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { accessIn, codeOf, listener } from '../support/outcome.ts'
import { carried, SOURCES } from '../support/presenting.ts'
import { distantStore } from '../support/stores.ts'

const [BEARER, API_KEY, PAIR] = SOURCES

/** A key, and requests of which several guards ask. */
async function instance(input: Partial<CreateInput> = { limits: { minute: 10 } }) {
  const [clock, heard] = [fakeClock(), listener()]
  const keys = createApiKeys({ prefix: 'tw_', clock, onEvent: heard.onEvent })
  const made = await keys.create({ owner: 'acct_1', ...input })
  const left = async () =>
    Object.fromEntries(
      accessIn(await keys.verify(made.key, { cost: 0 })).readings.map(({ name, remaining }) => [name, remaining]),
    )
  /** One request, whose guards are asked in turn; a later one may find other headers. */
  const arrives = (texts = made as { key: string }) => {
    const request = { kind: 'framework request' }
    const first = { ...carried(BEARER, texts), request }
    return async (demand: Demand = {}, facts: object = first) => {
      const verdict = await keys.verify({ ...facts, request }, demand)
      return { code: codeOf(verdict), verdict, passage: () => keys.of(request) }
    }
  }
  return { clock, heard, keys, left, arrives, ...made }
}

describe('two demands on one request', () => {
  it('N-10 the first takes, the second takes nothing more', async () => {
    const { arrives, left } = await instance()
    const guard = arrives()
    for (let i = 0; i < 4; i++) expect((await guard()).code).toBe('admitted')
    expect(await left()).toEqual({ minute: 9 })
    expect((await arrives()()).code).toBe('admitted')
    expect(await left()).toEqual({ minute: 8 })
  })

  it('N-10 also when the last of the limit was taken by the first', async () => {
    const { arrives } = await instance({ limits: { minute: 1 } })
    const guard = arrives()
    expect([(await guard()).code, (await guard()).code]).toEqual(['admitted', 'admitted'])
    expect((await arrives()()).code).toBe('rate_limited')
  })

  it('the second refuses where but one of the limits that it lowers is exceeded', async () => {
    const { arrives } = await instance({ limits: { minute: 10, hour: 10 } })
    const lower = { limits: { minute: 9, hour: 2 } }
    const codes: string[] = []
    for (let n = 0; n < 3; n++) {
      const guard = arrives()
      await guard()
      codes.push((await guard(lower)).code)
    }
    expect(codes).toEqual(['admitted', 'admitted', 'rate_limited'])
  })

  it('the second takes what its cost exceeds the first’s', async () => {
    const { arrives, left } = await instance()
    const guard = arrives()
    await guard({ cost: 2 })
    await guard({ cost: 5 })
    expect(await left()).toEqual({ minute: 5 })
    await guard({ cost: 3 })
    await guard({ cost: 5 })
    expect(await left()).toEqual({ minute: 5 })
    await guard({ cost: 6 })
    expect(await left()).toEqual({ minute: 4 })
  })

  it('the second takes its own extra limits, at its own cost', async () => {
    const { arrives, left } = await instance()
    const exports = [{ name: 'exports', limit: 4, window: '1h' }] as const
    const guard = arrives()
    await guard()
    const { verdict } = await guard({ limits: exports, cost: 3 })
    const readings = accessIn(verdict).readings.map(({ name, remaining }) => [name, remaining])
    expect(readings).toEqual([
      ['minute', 7],
      ['exports', 1],
    ])
    expect(await left()).toEqual({ minute: 7 })
  })

  it('all or none: a second that is denied has taken nothing', async () => {
    const { arrives, left } = await instance()
    const exports = [{ name: 'exports', limit: 2, window: '1h' }] as const
    const guard = arrives()
    expect((await guard({ cost: 1 })).code).toBe('admitted')
    expect((await guard({ limits: exports, cost: 3 })).code).toBe('rate_limited')
    expect(await left()).toEqual({ minute: 9 })
    expect((await arrives()({ limits: exports, cost: 0 })).code).toBe('admitted')
  })

  it('the second looks at its own rules again', async () => {
    const { arrives, left } = await instance({ limits: { minute: 10 }, scopes: ['a:read'], resource: 'agent:1' })
    const guard = arrives()
    expect((await guard({ resource: '*' })).code).toBe('admitted')
    expect((await guard({ resource: '*', scopes: ['a:write'] })).code).toBe('insufficient_scope')
    expect((await guard({ resource: 'agent:2' })).code).toBe('resource_mismatch')
    expect((await guard({ resource: '*', owner: 'acct_2' })).code).toBe('owner_mismatch')
    expect((await guard({ resource: 'agent:1', scopes: ['a:read'] })).code).toBe('admitted')
    const { resource } = { resource: { resource: '*' } }
    expect((await guard(resource)).code).toBe('admitted')
    expect((await arrives()({ resource: '*', cost: 9 })).code).toBe('admitted')
    await expect(left()).rejects.toThrow('resource_mismatch')
  })

  it('the second sees what happened to the key in between', async () => {
    const { arrives, keys, record } = await instance()
    const guard = arrives()
    expect((await guard()).code).toBe('admitted')
    await keys.disable(record.id)
    expect((await guard()).code).toBe('disabled')
    await keys.revoke(record.id)
    expect((await guard()).code).toBe('revoked')
  })

  it('is never anonymous where the first proved a key, though its header was taken away', async () => {
    const { arrives, record } = await instance()
    const guard = arrives()
    await guard()
    const stripped = { rawHeaders: ['Accept', '*/*'], peer: '203.0.113.9' }
    const { verdict } = await guard({ optional: true }, stripped)
    expect(accessIn(verdict).id).toBe(record.id)
    expect((await guard({}, { rawHeaders: ['Authorization', ''] })).code).toBe('admitted')
    expect((await guard({ scopes: ['a:read'] }, stripped)).code).toBe('insufficient_scope')
  })

  it('is anonymous where the first was, and the second finds nothing either', async () => {
    const { keys } = await instance()
    const request = {}
    const bare = { rawHeaders: ['Accept', '*/*'], request }
    expect(await keys.verify(bare, { optional: true })).toMatchObject({ ok: true, access: undefined })
    expect(codeOf(await keys.verify(bare))).toBe('missing_credentials')
    expect(() => keys.of(request)).toThrow('no guard')
  })

  it('an admission that the first refused is no passage: the second judges anew, and takes', async () => {
    const { arrives, left } = await instance()
    const guard = arrives()
    expect((await guard({ scopes: ['a:read'] })).code).toBe('insufficient_scope')
    expect((await guard()).code).toBe('admitted')
    expect(await left()).toEqual({ minute: 9 })
  })

  it('another key in the second is another key: it is judged and takes for itself', async () => {
    const { arrives, keys, left } = await instance()
    const other = await keys.create({ owner: 'acct_2', limits: { minute: 3 } })
    const guard = arrives()
    await guard()
    const { verdict, passage } = await guard({}, carried(API_KEY, other))
    expect(accessIn(verdict)).toMatchObject({ id: other.record.id, readings: [{ remaining: 2 }] })
    expect(passage().id).toBe(other.record.id)
    expect(await left()).toEqual({ minute: 9 })
  })

  it('the same id with a wrong secret does not ride on the first', async () => {
    const keys = createApiKeys({ prefix: 'tw_', pair: true })
    const { record, ...made } = await keys.create({ owner: 'acct_1' })
    const other = await keys.create({ owner: 'acct_2' })
    const request = {}
    expect(codeOf(await keys.verify({ ...carried(PAIR, made), request }))).toBe('admitted')
    const mixed = { key: made.key, ...(other.secret === undefined ? {} : { secret: other.secret }) }
    expect(codeOf(await keys.verify({ ...carried(PAIR, mixed), request }))).toBe('invalid_key')
    expect(keys.of(request).id).toBe(record.id)
  })

  it('instances do not share what they admitted', async () => {
    const [ours, theirs] = [createApiKeys({ prefix: 'tw_' }), createApiKeys({ prefix: 'tx_' })]
    const made = await ours.create({ owner: 'acct_1' })
    const facts = { ...carried(BEARER, made), request: {} }
    expect(codeOf(await ours.verify(facts))).toBe('admitted')
    expect(codeOf(await theirs.verify(facts))).toBe('invalid_key')
    expect(() => theirs.of(facts.request)).toThrow('no guard')
    const stripped = { rawHeaders: [], headers: {}, request: facts.request }
    expect(codeOf(await theirs.verify(stripped))).toBe('missing_credentials')
  })

  it('nothing of it depends on how quickly the store answers', async () => {
    const keys = createApiKeys({ prefix: 'tw_', store: distantStore(), clock: fakeClock() })
    const made = await keys.create({ owner: 'acct_1', limits: { minute: 10 } })
    const facts = { ...carried(BEARER, made), request: {} }
    for (const cost of [1, 4, 2]) expect(codeOf(await keys.verify(facts, { cost }))).toBe('admitted')
    expect(accessIn(await keys.verify(made.key, { cost: 0 })).readings).toMatchObject([{ remaining: 6 }])
  })

  it('one request is one use and is told once, however many guards it passes', async () => {
    const { arrives, heard, keys, record } = await instance()
    const guard = arrives()
    await guard()
    await guard({ cost: 2 })
    await keys.flush()
    expect(heard.of('admitted')).toHaveLength(1)
    expect((await keys.get(record.id))?.uses).toBe(1)
  })
})

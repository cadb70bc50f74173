import { type Access, type ApiKeysOptions, createApiKeys, type Gate, type GateCode, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { CARRIERS, EVERY_WAY } from '../support/express.ts'
import { gated } from '../support/gated.ts'
import { serveGuarded } from '../support/guarded.ts'
import { carrying } from '../support/money.ts'
import { judged } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'

describe.each(CARRIERS)('Gate: when it is asked: $source', (carrier) => {
  async function counted(options: Partial<ApiKeysOptions> = {}) {
    const asked: { access: Access; request: unknown }[] = []
    const gate: Gate = (access, request) => {
      asked.push({ access, request })
      return undefined
    }
    return { asked, ...(await gated(gate, { ...carrier.options, ...options })) }
  }

  it('with the identity and the framework’s request, once', async () => {
    const { asked, keys, created, id } = await counted()
    const host = { tenant: 'x' }
    expect(await judged(keys, carrying(carrier, created, { request: host }))).toBe('admitted')
    expect(asked).toHaveLength(1)
    expect(asked[0]?.request).toBe(host)
    const access = asked[0]?.access
    expect(access).toMatchObject({ id, owner: 'acct_1', metadata: { plan: 'pro' }, status: 'active', readings: [] })
    expect([access?.can('a:read'), access?.can('a:write'), Object.isFrozen(access)]).toEqual([true, false, true])
    expect(JSON.stringify(access)).not.toContain((created.secret ?? created.key).slice(-38))
    expect(await access?.settle(5)).toEqual({ charged: 0, short: 0 })
  })

  it('after every rule: not for a key that a rule refuses, nor for one that is not proved', async () => {
    const { asked, keys, created, id } = await counted({ trustedProxies: [] })
    const facts = () => carrying(carrier, created)
    expect(await judged(keys, facts(), { scopes: ['b:read'] })).toBe('insufficient_scope')
    expect(await judged(keys, facts(), { owner: 'acct_2' })).toBe('owner_mismatch')
    await keys.update(id, { allowedIps: ['10.0.0.0/8'] })
    expect(await judged(keys, facts())).toBe('ip_not_allowed')
    await keys.disable(id)
    expect(await judged(keys, facts())).toBe('disabled')
    await keys.enable(id)
    await keys.rotate(id, { overlap: 0 })
    expect(await judged(keys, facts())).toBe('invalid_key')
    expect(await judged(keys, { rawHeaders: [] })).toBe('missing_credentials')
    expect(await judged(keys, { rawHeaders: [] }, { optional: true })).toBe('admitted')
    expect(asked).toEqual([])
  })
})

describe('Gate: when it is asked', () => {
  it('before anything is taken: it sees the balance and the windows as they were', async () => {
    const inner = memoryStore()
    const order: string[] = []
    const store = {
      ...inner,
      take: (...args: Parameters<NonNullable<typeof inner.take>>) => {
        order.push('take')
        return inner.take?.(...args) ?? { stale: undefined }
      },
    }
    const gate = async () => {
      await new Promise((resolve) => setImmediate(resolve))
      order.push('gate')
      return undefined
    }
    const { ask } = await gated(gate, { store })
    expect(await ask()).toBe('admitted')
    expect(order).toEqual(['gate', 'take'])
  })

  it('L-26 suspended comes before an exhausted balance and a full window', async () => {
    let word: GateCode | undefined
    const { ask } = await gated(() => word)
    await ask({ cost: 5 })
    expect(await ask()).toBe('insufficient_balance')
    word = 'account_suspended'
    expect(await ask()).toBe('account_suspended')
  })

  it('a key that is revoked while it is asked is refused, and nothing is taken', async () => {
    const { keys, id, key, left } = await gated(async () => {
      await keys.revoke(id, { reason: 'now' })
      return undefined
    })
    expect(await judged(keys, key)).toBe('revoked')
    expect(await left()).toBe(5)
  })

  it('for credential text without a request it gets `undefined` as the request', async () => {
    const requests: unknown[] = []
    const { keys, key } = await gated((_: unknown, given: unknown) => void requests.push(given))
    await keys.verify(key)
    await keys.verify({ key, address: '10.0.0.1' })
    expect(requests).toEqual([undefined, undefined])
  })

  it.each([
    ['remembers keys for any time because it has limits', { hour: 100 }],
    ['remembers keys for a while', undefined],
  ])('what it refuses it refuses on the record as it is, also where a process %s', async (_, limits) => {
    const [store, clock] = [memoryStore(), fakeClock()]
    const gate: Gate = ({ metadata }) => (metadata?.suspended === true ? 'account_suspended' : undefined)
    const [keys, other] = [
      createApiKeys({ prefix: 'pay_', store, clock, gate }),
      createApiKeys({ prefix: 'pay_', store }),
    ]
    const { key, record } = await keys.create({ owner: 'acct_1', metadata: { suspended: true }, limits })
    expect(await judged(keys, key)).toBe('account_suspended')
    await other.update(record.id, { metadata: { suspended: false } })
    expect(await judged(keys, key)).toBe('admitted')
    clock.advance('1h')
    await other.update(record.id, { metadata: { suspended: true } })
    if (limits === undefined) clock.advance('2s')
    expect(await judged(keys, key)).toBe('account_suspended')
  })

  it('one that fails on what an old record said fails on it no longer than maxLag', async () => {
    const [store, clock] = [memoryStore(), fakeClock()]
    const gate: Gate = ({ metadata }) => {
      if (metadata?.plan === undefined) throw new TypeError('no plan')
      return undefined
    }
    const [keys, other] = [
      createApiKeys({ prefix: 'pay_', store, clock, gate }),
      createApiKeys({ prefix: 'pay_', store }),
    ]
    const { key, record } = await keys.create({ owner: 'acct_1', limits: { hour: 100 } })
    expect(await judged(keys, key)).toBe('unavailable')
    await other.update(record.id, { metadata: { plan: 'pro' } })
    clock.advance('2s')
    expect(await judged(keys, key)).toBe('admitted')
  })
})

for (const { name, express, source, options, lines } of EVERY_WAY) {
  it(`Gate, ${name}, ${source}: it is given the framework’s own request, and its failure is 503`, async () => {
    const seen: string[] = []
    const kept = await gated((_: unknown, req: { query: { fail?: string }; method: string }) => {
      seen.push(req.method)
      if (req.query.fail !== undefined) throw new Error('hunter2')
    }, options)
    const { port, reached } = await serveGuarded(express, kept.keys)
    expect((await raw(port, request(lines(kept.created)))).status).toBe(200)
    const failed = await raw(port, request(lines(kept.created), { target: '/?fail=1' }))
    expect([failed.status, failed.headers['retry-after']]).toEqual([503, '1'])
    expect(failed.body).not.toContain('hunter2')
    expect([seen, reached]).toEqual([['GET', 'GET'], ['acct_1']])
  })
}

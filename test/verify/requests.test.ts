import { inspect } from 'node:util'
import { createApiKeys } from 'keyward'
import { describe, expect, it } from 'vitest'

async function started() {
  const keys = createApiKeys({ prefix: 'ps_', limits: { default: { minute: 10 } }, trustedProxies: [] })
  const { key } = await keys.create({ owner: 'acct_1' })
  return { keys, key, facts: { rawHeaders: ['authorization', `Bearer ${key}`] } }
}

/** What is left of ten after this request has come by. */
async function leftAfter(
  keys: Awaited<ReturnType<typeof started>>['keys'],
  facts: object,
): Promise<number | undefined> {
  const verdict = await keys.verify(facts)
  return verdict.ok ? verdict.readings[0]?.remaining : undefined
}

describe('what was admitted on a request', () => {
  it('is known of that request: a second guard takes nothing', async () => {
    const { keys, facts } = await started()
    expect([await leftAfter(keys, facts), await leftAfter(keys, facts)]).toEqual([9, 9])
    expect(keys.of(facts)?.owner).toBe('acct_1')
  })

  it.each([
    ['a copy', (facts: object) => ({ ...facts })],
    ['a deep copy', (facts: object) => ({ rawHeaders: [...(facts as { rawHeaders: string[] }).rawHeaders] })],
    ['one that inherits from it', (facts: object) => Object.create(facts) as object],
  ])('is not known of %s, which is counted as the request that it is', async (_, copyOf) => {
    const { keys, facts } = await started()
    expect(await leftAfter(keys, facts)).toBe(9)
    const other = copyOf(facts)
    expect(() => keys.of(other)).toThrow('no guard')
    expect([await leftAfter(keys, other), await leftAfter(keys, other), await leftAfter(keys, facts)]).toEqual([
      8, 8, 8,
    ])
  })

  it.each([
    ['frozen', (facts: object) => Object.freeze(facts)],
    ['sealed', (facts: object) => Object.seal(facts)],
    ['a proxy that takes no member', (facts: object) => new Proxy(facts, { set: () => false })],
  ])('is known of a request that is %s', async (_, closed) => {
    const { keys, facts } = await started()
    const request = closed(facts)
    expect([await leftAfter(keys, request), await leftAfter(keys, request)]).toEqual([9, 9])
    expect(keys.of(request)?.owner).toBe('acct_1')
  })

  it('belongs to the instance that admitted it', async () => {
    const { keys, facts } = await started()
    const other = createApiKeys({ prefix: 'po_', trustedProxies: [] })
    await keys.verify(facts)
    expect(() => other.of(facts)).toThrow('no guard')
  })

  it('shows no key where the request is logged, copied or written as JSON', async () => {
    const { keys, key } = await started()
    const facts: { rawHeaders?: string[] } = { rawHeaders: ['authorization', `Bearer ${key}`] }
    await keys.verify(facts)
    delete facts.rawHeaders
    expect(keys.of(facts)?.owner).toBe('acct_1')
    for (const log of [inspect(facts, { depth: 9, showHidden: true }), JSON.stringify(facts)]) {
      expect(log).not.toContain(key.slice(-20))
      expect(log).not.toContain('sha256$')
    }
  })

  it('shows no hash in a verdict on a secret that was replaced, admitted or refused', async () => {
    const keys = createApiKeys({ prefix: 'po_', trustedProxies: [] })
    const { key, record } = await keys.create({ owner: 'acct_1', limits: { minute: 1 } })
    await keys.rotate(record.id, { overlap: '1h' })
    const admitted = await keys.verify(key)
    const limited = await keys.verify(key)
    await keys.disable(record.id)
    const refused = await keys.verify(key)
    expect([limited, refused].map((verdict) => verdict.ok || verdict.code)).toEqual(['rate_limited', 'disabled'])
    for (const verdict of [admitted, limited, refused]) {
      expect(Object.keys(verdict.overlap ?? {})).toEqual(['since', 'until'])
      expect(JSON.stringify(verdict)).not.toContain('sha256$')
    }
  })
})

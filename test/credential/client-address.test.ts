import { createApiKeys, memoryStore, type RequestFacts } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { judged } from '../support/outcome.ts'

interface Told {
  readonly peer?: unknown
  readonly address?: unknown
  readonly headers?: RequestFacts['headers']
  readonly trustedProxies?: readonly string[]
}

/** What becomes of a key with this allowlist when an adapter tells that of a request. */
async function ask(allowedIps: readonly string[], { trustedProxies, headers, ...told }: Told): Promise<string> {
  const keys = createApiKeys({ prefix: 'ip_', ...(trustedProxies === undefined ? {} : { trustedProxies }) })
  const { key } = await keys.create({ owner: 'acct_1', allowedIps })
  const given = { headers: { 'x-api-key': key, ...headers }, ...told }
  return judged(keys, given as RequestFacts)
}

const EVERYWHERE = ['0.0.0.0/0', '::/0']

describe('I. What an adapter tells of the address', () => {
  it.each([
    ['10.0.0.5', '10.0.0.0/8'],
    ['::ffff:10.0.0.5', '10.0.0.0/8'],
    ['::FFFF:a00:5', '10.0.0.5'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8::0001', '2001:db8::1'],
  ])('I-15 I-18 takes the peer %s for one of %s', async (peer, allowed) => {
    expect(await ask([allowed], { peer })).toBe('admitted')
    expect(await ask([allowed], { address: peer })).toBe('admitted')
  })

  it('I-17 leaves the zone of a link-local peer aside', async () => {
    expect(await ask(['fe80::/10'], { peer: 'fe80::1%eth0' })).toBe('admitted')
    expect(await ask(['fe80::1'], { peer: 'FE80::1%br-lan.7' })).toBe('admitted')
  })

  it('I-17 leaves the number aside by which Windows names a zone', async () => {
    expect(await ask(['fe80::/10'], { peer: 'fe80::1%12' })).toBe('admitted')
  })

  it.each(['fe80::1%25eth0', 'fe80::1%', 'fe80::1%eth0%eth1', 'fe80::1%et/h0', 'fe80::1% eth0'])(
    'I-17 does not know the peer %s',
    async (peer) => {
      expect(await ask(EVERYWHERE, { peer })).toBe('ip_not_allowed')
    },
  )

  it.each(['2001:db8::1%eth0', '::1%lo', '10.0.0.5%eth0', '::ffff:10.0.0.5%eth0'])(
    'I-17 knows no zone but a link-local one: %s',
    async (peer) => {
      expect(await ask(EVERYWHERE, { peer })).toBe('ip_not_allowed')
    },
  )

  it.each([167772165, 10, { address: '10.0.0.5' }, ['10.0.0.5'], true, null, '', '10.0.0.5, 10.0.0.6', 10n])(
    'I-21 does not know a peer that is no address: %s',
    async (peer) => {
      expect(await ask(EVERYWHERE, { peer })).toBe('ip_not_allowed')
    },
  )

  it.each([167772165, { address: '10.0.0.5' }, ['10.0.0.5'], null, '', 'unknown', '10.0.0.5:80', '[2001:db8::1]'])(
    'I-21 does not fall back on the peer when the address that it is given is none: %s',
    async (address) => {
      expect(await ask(EVERYWHERE, { address, peer: '10.0.0.5' })).toBe('ip_not_allowed')
    },
  )

  it('I-20 knows no address without a peer', async () => {
    expect(await ask(EVERYWHERE, {})).toBe('ip_not_allowed')
    expect(await ask(EVERYWHERE, { headers: { 'x-forwarded-for': '10.0.0.5' }, trustedProxies: ['0.0.0.0/0'] })).toBe(
      'ip_not_allowed',
    )
  })

  it('believes an address that the runtime knows, whatever headers say', async () => {
    const headers = { 'x-forwarded-for': '10.0.0.5' }
    expect(await ask(['203.0.113.9'], { address: '203.0.113.9', headers })).toBe('admitted')
    expect(await ask(['10.0.0.0/8'], { address: '203.0.113.9', headers })).toBe('ip_not_allowed')
  })

  it('I-10 joins the lines that an adapter gives as a list', async () => {
    const told = { peer: '127.0.0.1', trustedProxies: ['127.0.0.1'] }
    const headers = new Headers([
      ['x-forwarded-for', '10.0.0.5'],
      ['x-forwarded-for', '203.0.113.9'],
    ])
    const ask = async (allowedIps: readonly string[]) => {
      const keys = createApiKeys({ prefix: 'ip_', trustedProxies: told.trustedProxies })
      headers.set('x-api-key', (await keys.create({ owner: 'acct_1', allowedIps })).key)
      return judged(keys, { headers, peer: told.peer })
    }
    expect(await ask(['203.0.113.9'])).toBe('admitted')
    expect(await ask(['10.0.0.5'])).toBe('ip_not_allowed')
  })

  it('I-11 knows no address where X-Forwarded-For is no text', async () => {
    const told = { peer: '127.0.0.1', trustedProxies: ['127.0.0.1'] }
    for (const value of [7, {}, ['10.0.0.5', '10.0.0.6'], true]) {
      expect(await ask(EVERYWHERE, { ...told, headers: { 'x-forwarded-for': value } })).toBe('ip_not_allowed')
    }
  })

  it('has no address for a text alone, and takes the one that comes with it', async () => {
    const keys = createApiKeys({ prefix: 'ip_' })
    const { key } = await keys.create({ owner: 'acct_1', allowedIps: ['10.0.0.0/8'] })
    expect(await judged(keys, key)).toBe('ip_not_allowed')
    expect(await judged(keys, { key })).toBe('ip_not_allowed')
    expect(await judged(keys, { key, address: '10.0.0.5' })).toBe('admitted')
    expect(await judged(keys, { key, address: '11.0.0.5' })).toBe('ip_not_allowed')
  })
})

describe('I. Changes of an allowlist', () => {
  it('I-35 obeys a changed allowlist on the next request, in this process and in another', async () => {
    const store = memoryStore()
    const keys = createApiKeys({ prefix: 'ip_', store })
    const other = createApiKeys({ prefix: 'ip_', store, cache: false })
    const { key, record } = await keys.create({ owner: 'acct_1', allowedIps: ['10.0.0.0/8'] })
    const from = async (address: string) => [
      await judged(keys, { key, address }),
      await judged(other, { key, address }),
    ]
    expect(await from('10.0.0.5')).toEqual(['admitted', 'admitted'])

    await keys.update(record.id, { allowedIps: ['192.0.2.0/24'] })
    expect(await from('10.0.0.5')).toEqual(['ip_not_allowed', 'ip_not_allowed'])
    expect(await from('192.0.2.9')).toEqual(['admitted', 'admitted'])

    await keys.update(record.id, { allowedIps: null })
    expect(await from('10.0.0.5')).toEqual(['admitted', 'admitted'])
  })

  it('I-35 and in another process that remembers keys, no later than maxLag', async () => {
    const [store, clock] = [memoryStore(), fakeClock()]
    const here = createApiKeys({ prefix: 'ip_', store, clock })
    const there = createApiKeys({ prefix: 'ip_', store, clock })
    const { key, record } = await here.create({ owner: 'acct_1', allowedIps: ['10.0.0.0/8'] })
    const credential = { key, address: '10.0.0.5' }
    expect(await judged(there, credential)).toBe('admitted')
    await here.update(record.id, { allowedIps: ['192.0.2.0/24'] })
    clock.advance(1001)
    expect(await judged(there, credential)).toBe('ip_not_allowed')
    await here.update(record.id, { allowedIps: ['10.0.0.5'] })
    clock.advance(1001)
    expect(await judged(there, credential)).toBe('admitted')
  })

  it('shows the list as it was given', async () => {
    const keys = createApiKeys({ prefix: 'ip_' })
    const allowedIps = ['10.0.0.0/8', '2001:db8::1']
    const { record } = await keys.create({ owner: 'acct_1', allowedIps })
    expect(record.allowedIps).toEqual(allowedIps)
  })
})

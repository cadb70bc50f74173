import { createApiKeys } from 'keyward'
import { describe, expect, it, vi } from 'vitest'
import { failure, judged } from '../support/outcome.ts'

const HOST_BITS = [
  ['10.0.0.5/8', '10.0.0.0/8'],
  ['192.168.1.1/24', '192.168.1.0/24'],
  ['255.255.255.255/31', '255.255.255.254/31'],
  ['1.0.0.0/0', '0.0.0.0/0'],
  ['2001:db8::1/32', '2001:db8::/32'],
  ['::1/0', '::/0'],
  ['2001:db8:0:0:0:1::/64', '2001:db8::/64'],
] as const

const LENGTHS = ['33', '-1', '08', '+8', '8.0', '1e1', ' 8', '8 ', '', '8/8', '0x8', '255.0.0.0', '128']

/** Everything else that is no address and no block. */
const NEITHER = [
  '10.0.0.0-10.0.0.9',
  '10.*',
  '10.0.0',
  '10.1',
  '010.0.0.1',
  '0x0a.0.0.5',
  '167772165',
  '10.0.0.256',
  ' 10.0.0.5',
  '10.0.0.5 ',
  '10.0.0.5,',
  '10.0.0.5\r\n',
  '10.0.0.5\u0000',
  '１０.0.0.5',
  '10.0.0.5:80',
  '[2001:db8::1]',
  '2001:db8::1/129',
  '2001:db8:::1',
  '1::2::3',
  ':::',
  '12345::',
  'fe80::1%eth0',
  'fe80::%eth0/10',
  '::ffff:10.0.0.0/95',
  '::ffff:10.0.0.0/8',
  '__proto__',
  '',
  '/',
  '/8',
  'localhost',
  'example.com',
  'example.com/24',
  '*',
  'any',
] as const

const NO_LISTS = [
  null,
  '10.0.0.0/8',
  {},
  [],
  [10],
  [null],
  [['10.0.0.0/8']],
  [{ cidr: '10.0.0.0/8' }],
  new Set(['10.0.0.0/8']),
]

/** The two doors by which an entry comes in, and the one by which proxies are stated. */
const created = (entry: unknown) => failure(() => keysOf().create({ owner: 'acct_1', allowedIps: [entry as string] }))
const keysOf = () => createApiKeys({ prefix: 'ip_' })
const stated = (entry: unknown) => failure(() => createApiKeys({ prefix: 'ip_', trustedProxies: [entry as string] }))
async function patched(entry: unknown) {
  const keys = keysOf()
  const { record } = await keys.create({ owner: 'acct_1', allowedIps: ['192.0.2.0/24'] })
  const error = await failure(() => keys.update(record.id, { allowedIps: [entry as string] }))
  expect((await keys.get(record.id))?.allowedIps).toEqual(['192.0.2.0/24'])
  return error
}

describe('I. Entries of an allowlist and of trustedProxies', () => {
  it.each(HOST_BITS)('I-25 refuses %s, which has host bits set, and suggests %s', async (entry, suggestion) => {
    for (const error of [await created(entry), await patched(entry), await stated(entry)]) {
      expect(error.message).toContain(suggestion)
    }
    expect((await created(entry)).issues).toMatchObject([{ path: 'allowedIps.0' }])
    expect((await stated(entry)).issues).toMatchObject([{ path: 'trustedProxies.0' }])
  })

  it.each(LENGTHS)('I-28 refuses the prefix length "%s"', async (length) => {
    expect(await created(`10.0.0.0/${length}`)).toMatchObject({ code: 'INPUT' })
    expect(await patched(`10.0.0.0/${length}`)).toMatchObject({ code: 'INPUT' })
    expect(await stated(`10.0.0.0/${length}`)).toMatchObject({ code: 'CONFIG' })
  })

  it.each(NEITHER)('I-28 I-33 I-37 refuses the entry %j', async (entry) => {
    expect(await created(entry)).toMatchObject({ code: 'INPUT', issues: [{ path: 'allowedIps.0' }] })
    expect(await patched(entry)).toMatchObject({ code: 'INPUT', issues: [{ path: 'allowedIps.0' }] })
    expect(await stated(entry)).toMatchObject({ code: 'CONFIG', issues: [{ path: 'trustedProxies.0' }] })
  })

  it.each(NO_LISTS)('refuses %j for a list', async (list) => {
    const given = list as unknown as string[]
    expect(await failure(() => keysOf().create({ owner: 'acct_1', allowedIps: given }))).toMatchObject({
      code: 'INPUT',
    })
    if (Array.isArray(list) && list.length === 0) return
    expect(await failure(() => createApiKeys({ prefix: 'ip_', trustedProxies: given }))).toMatchObject({
      code: 'CONFIG',
    })
  })

  it('I-37 asks no name server for a host name', async () => {
    const dns = await import('node:dns')
    const lookup = vi.spyOn(dns.default, 'lookup')
    expect(await created('localhost')).toMatchObject({ code: 'INPUT' })
    expect(await stated('localhost')).toMatchObject({ code: 'CONFIG' })
    expect(lookup).not.toHaveBeenCalled()
  })

  it('names every entry that is wrong, and none that is right', async () => {
    const allowedIps = ['10.0.0.0/8', '10.0.0.5/8', '2001:db8::1', 'localhost']
    const { issues } = await failure(() => keysOf().create({ owner: 'acct_1', allowedIps }))
    expect(issues?.map(({ path }) => path)).toEqual(['allowedIps.1', 'allowedIps.3'])
  })
})

describe('I. Large and odd allowlists', () => {
  const address = (i: number) => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`

  it('I-32 takes 1000 entries and lets in exactly those', async () => {
    const keys = keysOf()
    const allowedIps = Array.from({ length: 1000 }, (_, i) => `${address(i * 4)}/31`)
    const { key } = await keys.create({ owner: 'acct_1', allowedIps })
    const outcomes = await Promise.all(
      Array.from({ length: 4000 }, (_, i) => judged(keys, { key, address: address(i) })),
    )
    expect(outcomes).toEqual(Array.from({ length: 4000 }, (_, i) => (i % 4 < 2 ? 'admitted' : 'ip_not_allowed')))
  })

  it('I-32 refuses 1001 entries, and 10 001', async () => {
    for (const length of [1001, 10_001]) {
      const allowedIps = Array.from({ length }, (_, i) => address(i))
      const error = await failure(() => keysOf().create({ owner: 'acct_1', allowedIps }))
      expect(error).toMatchObject({ code: 'INPUT', issues: [{ path: 'allowedIps' }] })
    }
  })

  it('I-32 refuses an entry of 1 MB, and does not repeat it', async () => {
    const error = await created('1'.repeat(1_000_000))
    expect(error.code).toBe('INPUT')
    expect(error.message.length).toBeLessThan(500)
  })

  it('I-32 takes one entry twice for one', async () => {
    const keys = keysOf()
    const { key } = await keys.create({ owner: 'acct_1', allowedIps: ['10.0.0.0/8', '10.0.0.0/8', '10.0.0.5'] })
    expect(await judged(keys, { key, address: '10.200.0.1' })).toBe('admitted')
    expect(await judged(keys, { key, address: '11.0.0.5' })).toBe('ip_not_allowed')
  })

  it.each([
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:10.0.0.5', '10.0.0.5/32'],
    ['::ffff:10.0.0.5/128', '10.0.0.5/32'],
  ])('I-30 reads %s as %s', async (entry) => {
    const keys = keysOf()
    const { key } = await keys.create({ owner: 'acct_1', allowedIps: [entry] })
    const outcomes = ['10.0.0.5', '::ffff:10.0.0.5', '11.0.0.5', '::10.0.0.5'].map((at) =>
      judged(keys, { key, address: at }),
    )
    expect(await Promise.all(outcomes)).toEqual(['admitted', 'admitted', 'ip_not_allowed', 'ip_not_allowed'])
  })

  it('I-30 does not read ::ffff:0:0/96 as everybody', async () => {
    const keys = keysOf()
    const { key } = await keys.create({ owner: 'acct_1', allowedIps: ['::ffff:0:0/96'] })
    expect(await judged(keys, { key, address: '10.0.0.5' })).toBe('admitted')
    expect(await judged(keys, { key, address: '2001:db8::1' })).toBe('ip_not_allowed')
  })

  it('I-18 reads ::1:2:3:4:5:10.0.0.5, where :: stands for one group', async () => {
    const keys = keysOf()
    const { key } = await keys.create({ owner: 'acct_1', allowedIps: ['::1:2:3:4:5:10.0.0.5'] })
    expect(await judged(keys, { key, address: '0:1:2:3:4:5:a00:5' })).toBe('admitted')
  })

  it('I-16 does not read an IPv4-compatible block as IPv4', async () => {
    const keys = keysOf()
    const { key } = await keys.create({ owner: 'acct_1', allowedIps: ['::10.0.0.0/104'] })
    expect(await judged(keys, { key, address: '10.0.0.5' })).toBe('ip_not_allowed')
    expect(await judged(keys, { key, address: '::10.0.0.5' })).toBe('admitted')
  })
})

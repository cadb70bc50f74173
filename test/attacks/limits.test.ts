import { createApiKeys, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { CARRIERS, type Carrier } from '../support/express.ts'
import { sealed } from '../support/forge.ts'
import { serveLimited, tally } from '../support/limited.ts'
import { judged } from '../support/outcome.ts'
import type { Texts } from '../support/presenting.ts'
import { distantStore, wrongSecretFor } from '../support/stores.ts'
import { parseList } from '../support/structured-fields.ts'

const [BEARER, API_KEY] = CARRIERS as [Carrier, Carrier]

describe.each(CARRIERS)('L. Limits over HTTP ($source)', (carrier) => {
  it('L-01 of 101 requests in a minute 100 pass, and the last is told when to come again', async () => {
    const { ask, times, handled } = await serveLimited(carrier, { limits: { minute: 100 } })
    expect(tally(await times(99))).toEqual({ 200: 99 })
    expect(await ask()).toMatchObject({ status: 200, left: { minute: 0 }, retryAfter: undefined })
    const refused = await ask()
    expect(refused).toMatchObject({ status: 429, left: { minute: 0 } })
    expect(Number(refused.retryAfter)).toBe(60)
    expect(handled()).toBe(100)
  })

  it('L-01 of 60 requests at once exactly the limit passes, on a store that answers later', async () => {
    const options = { store: distantStore() }
    const { ask, handled } = await serveLimited(carrier, { limits: { minute: 25 }, options })
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask()))
    expect(tally(answers.map(({ status }) => status))).toEqual({ 200: 25, 429: 35 })
    expect(handled()).toBe(25)
  })

  it('L-02 a burst at the end of a minute leaves nothing for the beginning of the next', async () => {
    const { clock, times } = await serveLimited(carrier, { limits: { minute: 40 } })
    clock.advance(59_900)
    expect(tally(await times(40))).toEqual({ 200: 40 })
    clock.advance(200)
    expect(tally(await times(20))).toEqual({ 429: 20 })
    clock.advance(59_799)
    expect(tally(await times(3))).toEqual({ 429: 3 })
    clock.advance(1)
    expect(tally(await times(41))).toEqual({ 200: 40, 429: 1 })
  })

  it('L-13 a rotation brings no fresh counters, to the old secret or the new', async () => {
    const { ask, keys, created, clock } = await serveLimited(carrier, { limits: { minute: 4 } })
    const status = async (texts: Texts) => (await ask([], {}, texts)).status
    expect(await status(created)).toBe(200)
    const second = await keys.rotate(created.record.id, { overlap: '1h' })
    expect([await status(created), await status(second)]).toEqual([200, 200])
    const third = await keys.rotate(created.record.id, { overlap: 0 })
    expect([await status(third), await status(third), await status(second)]).toEqual([200, 429, 401])
    clock.advance('1m')
    expect(await status(third)).toBe(200)
  })

  it('L-19 guesses at a secret take nothing from the key whose id they carry, and are told nothing of it', async () => {
    const { ask, created } = await serveLimited(carrier, { limits: { minute: 3 } })
    const wrong = await wrongSecretFor(created.record.id, 'lim_', carrier.options.pair)
    const misspelt = { ...created, key: `${created.key.slice(0, -1)}!` }
    for (let n = 0; n < 10; n++) {
      for (const texts of [wrong, misspelt]) {
        const { status, headers } = await ask([], {}, texts)
        expect([status, Object.keys(headers).filter((name) => name.startsWith('ratelimit'))]).toEqual([401, []])
      }
    }
    expect((await ask()).left).toEqual({ minute: 2 })
  })

  it.each(['holder', 'nobody'] as const)(
    'L-20 an exhausted key that was revoked, disabled or removed is 401, never 429 (told to %s)',
    async (reveal) => {
      const { ask, keys, created } = await serveLimited(carrier, { limits: { minute: 1 }, options: { reveal } })
      const { id } = created.record
      expect([(await ask()).status, (await ask()).status]).toEqual([200, 429])
      const ends = [() => keys.disable(id), () => keys.revoke(id), () => keys.remove(id)]
      for (const end of ends) {
        await end()
        const { status, headers, retryAfter } = await ask()
        expect([status, retryAfter, headers.ratelimit, headers['ratelimit-policy']]).toEqual([401, ...Array(3)])
      }
    },
  )

  it('L-17 a limit that is lowered, raised or lifted counts at the next request, also when another process did it', async () => {
    const store = memoryStore()
    const { ask, created, clock } = await serveLimited(carrier, {
      limits: { minute: 1000 },
      demand: { cost: 50 },
      options: { store },
    })
    const elsewhere = createApiKeys({ prefix: 'lim_', store, clock, ...carrier.options })
    const { id } = created.record
    for (let n = 0; n < 10; n++) expect((await ask()).status).toBe(200)
    await elsewhere.update(id, { limits: { minute: 10 } })
    expect(await ask()).toMatchObject({ status: 429, left: { minute: 0 } })
    await elsewhere.update(id, { limits: { minute: 500 } })
    expect(await ask()).toMatchObject({ status: 429, left: { minute: 0 } })
    await elsewhere.update(id, { limits: { minute: 550 } })
    expect(await ask()).toMatchObject({ status: 200, left: { minute: 0 } })
    await elsewhere.update(id, { limits: { minute: null } })
    expect((await ask()).status).toBe(200)
  })
})

describe('L. Several windows', () => {
  it('L-03 10 a second, 100 a minute and 1000 a day hold together, and a refusal takes from none', async () => {
    const { ask, clock, times } = await serveLimited(API_KEY, { limits: { second: 10, minute: 100, day: 1000 } })
    for (let second = 0; second < 10; second++) {
      expect(tally(await times(12))).toEqual({ 200: 10, 429: 2 })
      clock.advance('1s')
    }
    expect(await ask()).toMatchObject({ status: 429, left: { second: 10, minute: 0, day: 900 }, retryAfter: '50' })
    clock.advance('50s')
    expect(await ask()).toMatchObject({ status: 200, left: { second: 9, minute: 9, day: 899 } })
  })

  it('L-16 of the key and of the route are told together, each name once, the lower limit where both have it', async () => {
    const demand = {
      limits: [
        { name: 'export', limit: 5, window: '1h' } as const,
        { name: 'minute', limit: 3, window: '1m' } as const,
      ],
    }
    const { ask, times } = await serveLimited(BEARER, { limits: { minute: 60, hour: 100 }, demand })
    const { headers } = await ask()
    const policy = parseList(headers['ratelimit-policy'] ?? '').map(({ value, parameters }) => [value, parameters.q])
    expect(Object.fromEntries(policy)).toEqual({ minute: 3, hour: 100, export: 5 })
    expect(policy).toHaveLength(3)
    expect(await times(3)).toEqual([200, 200, 429])
  })
})

/** What a client may vary: it is the same key all the same. */
const VARIANTS: readonly (readonly [method: string, target: string])[] = [
  ['GET', '/x'],
  ['GET', '/x/'],
  ['GET', '/X'],
  ['GET', '//x'],
  ['GET', '/%78'],
  ['GET', '/x?a=1'],
  ['GET', '/x;v=1'],
  ['GET', '/./x'],
  ['POST', '/x'],
  ['PUT', '/y'],
  ['DELETE', '/x'],
  ['HEAD', '/x'],
  ['OPTIONS', '/x'],
  ['GET', 'http://elsewhere/x'],
]

/** Headers by which other software tells clients apart, or lets some through. */
const SPOOFED = [
  'X-Forwarded-For: 198.51.100.7',
  'X-Real-IP: 198.51.100.7',
  'Forwarded: for=198.51.100.7',
  'X-RateLimit-Bypass: true',
  'X-RateLimit-Limit: 100000',
  'RateLimit-Policy: "minute";q=100000;w=60',
  'X-HTTP-Method-Override: OPTIONS',
  'X-Consumer-Id: other',
  'X-Request-Id: other',
  'User-Agent: health-check',
  'Host: other.example',
  'Purpose: prefetch',
]

describe('L. Whose counter it is', () => {
  it('L-15 the key’s, by whatever path or method it comes', async () => {
    const { ask, handled } = await serveLimited(BEARER, { limits: { hour: VARIANTS.length } })
    for (const [i, [method, target]] of VARIANTS.entries()) {
      const { status, left } = await ask([], { method, target })
      expect([method, target, status, left.hour]).toEqual([method, target, 200, VARIANTS.length - 1 - i])
    }
    for (const [method, target] of VARIANTS) expect((await ask([], { method, target })).status).toBe(429)
    expect(handled()).toBe(VARIANTS.length)
  })

  it('L-15 the key’s, in whichever header it comes, and in both at once only once', async () => {
    const { ask, created } = await serveLimited(BEARER, { limits: { hour: 3 } })
    expect((await ask()).left).toEqual({ hour: 2 })
    expect((await ask([`X-API-Key: ${created.key}`])).left).toEqual({ hour: 1 })
    expect((await ask([`X-API-Key: ${created.key}`])).left).toEqual({ hour: 0 })
    expect((await ask([`X-API-Key: ${created.key}`])).status).toBe(429)
  })

  it('L-31 the key’s, whatever other headers say', async () => {
    const { ask } = await serveLimited(API_KEY, { limits: { hour: 2 } })
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200])
    for (const line of SPOOFED) expect([line, (await ask([line])).status]).toEqual([line, 429])
  })

  it('L-31 a key is exempt by its own record, and no other key with it', async () => {
    const options = { limits: { default: { hour: 1 } } }
    const { ask, keys } = await serveLimited(API_KEY, { options })
    const exempt = await keys.create({ owner: 'acct_1', name: 'exempt', limits: { hour: null } })
    const statuses = async (texts?: Texts) => [(await ask([], {}, texts)).status, (await ask([], {}, texts)).status]
    expect([await statuses(), await statuses(exempt)]).toEqual([
      [200, 429],
      [200, 200],
    ])
    const dressed = { key: sealed(`lim_${exempt.record.id}${'0'.repeat(32)}`) }
    expect(await statuses(dressed)).toEqual([401, 401])
  })

  it('L-13 L-15 each key’s own, though they are of one owner', async () => {
    const keys = createApiKeys({ prefix: 'lim_', clock: fakeClock() })
    const made = await Promise.all(
      Array.from({ length: 5 }, () => keys.create({ owner: 'acct_1', limits: { hour: 1 } })),
    )
    for (const expected of ['admitted', 'rate_limited']) {
      for (const { key } of made) expect(await judged(keys, key)).toBe(expected)
    }
  })
})

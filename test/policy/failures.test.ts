import { type ApiKeysOptions, type Created, createApiKeys, type Hasher, sha256 } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { CARRIERS } from '../support/express.ts'
import { carrying } from '../support/money.ts'
import { accessIn, countingHasher, judged, listener, refusalIn } from '../support/outcome.ts'
import { distantStore, spiedStore, wrongSecretFor } from '../support/stores.ts'
import { unknownKeys } from '../support/strangers.ts'

type Texts = Pick<Created, 'key' | 'secret'>

const HERE = '203.0.113.9'

for (const carrier of CARRIERS) {
  const { source, options, lines } = carrier
  const pair = options.pair === true

  describe(`Failure budget: ${source}`, () => {
    /** Three failures a minute, and an honest key. */
    async function guarded(more: Partial<ApiKeysOptions> = {}) {
      const clock = fakeClock()
      const heard = listener()
      const limits = { failures: { limit: 3, window: '1m' as const } }
      const keys = createApiKeys({
        prefix: 'fb_',
        clock,
        trustedProxies: [],
        onEvent: heard.onEvent,
        ...limits,
        ...options,
        ...more,
      })
      const created = await keys.create({ owner: 'acct_1', scopes: ['a:read'], limits: { minute: 10 } })
      const strangers = await unknownKeys('fb_', 10, pair)
      const ask = (texts: Texts, peer = HERE) => judged(keys, carrying(carrier, texts, { peer }))
      /** Uses the budget of a network up. */
      const exhaust = async (peer = HERE) => {
        for (const stranger of strangers.slice(0, 3)) expect(await ask(stranger, peer)).toBe('invalid_key')
      }
      return { keys, clock, heard, created, strangers, ask, exhaust }
    }

    it('A-08 unknown ids are refused up to the limit, then held back, before anything is looked up or hashed', async () => {
      const { store, asked } = spiedStore()
      const { hasher, computed } = countingHasher()
      const { ask, exhaust, strangers } = await guarded({ store, hasher })
      await exhaust()
      const [finds, hashes] = [asked('find'), computed()]
      for (const stranger of strangers) expect(await ask(stranger)).toBe('too_many_failures')
      expect([asked('find'), computed()]).toEqual([finds, hashes])
    })

    it('wrong secrets of a live key count alike, and take nothing from its limits', async () => {
      const { ask, keys, created } = await guarded()
      const wrong = await wrongSecretFor(created.record.id, 'fb_', pair)
      const outcomes = []
      for (let i = 0; i < 5; i++) outcomes.push(await ask(wrong))
      expect(outcomes).toEqual([...Array(3).fill('invalid_key'), ...Array(2).fill('too_many_failures')])
      // L-19: neither the failures nor what was held back consumed the key's quota.
      const { readings } = accessIn(await keys.verify(carrying(carrier, created, { peer: '198.51.100.1' })))
      expect(readings.map(({ remaining }) => remaining)).toEqual([9])
    })

    it('the refusal says when to come back, and nothing of keys or limits', async () => {
      const { keys, clock, exhaust, strangers, heard } = await guarded()
      await exhaust()
      clock.advance('20s')
      const [stranger] = strangers
      const refusal = refusalIn(await keys.verify(carrying(carrier, stranger as Texts)))
      expect(refusal).toMatchObject({ code: 'too_many_failures', status: 429, retryAfter: 40 })
      for (const field of ['record', 'windows', 'readings', 'needed']) expect(refusal).not.toHaveProperty(field)
      const told = heard.of('denied').at(-1)
      expect(told).toMatchObject({ code: 'too_many_failures', address: HERE })
      expect(told).not.toHaveProperty('id')
    })

    it('it ends by itself: whoever waits may try again, and no longer wait is earned by trying meanwhile', async () => {
      const { ask, clock, exhaust, strangers } = await guarded()
      await exhaust()
      for (const stranger of strangers) {
        clock.advance('5s')
        expect(await ask(stranger)).toBe('too_many_failures')
      }
      clock.advance('10s')
      expect(await ask(strangers[0] as Texts)).toBe('invalid_key')
    })

    it.each<readonly [what: string, spoil: (text: string) => string]>([
      ['a wrong checksum', (text) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0')],
      ['one character less', (text) => text.slice(0, -1)],
      ['a foreign prefix', (text) => `zz_${text.slice(3)}`],
      ['something that is no base62', (text) => `${text.slice(0, -8)}!${text.slice(-7)}`],
    ])('%s is no failure that counts: anybody mistypes', async (_, spoil) => {
      const { ask, strangers } = await guarded()
      const [{ key, secret }] = strangers as [Texts]
      const spoilt = { key: spoil(key), ...(secret === undefined ? {} : { secret }) }
      for (let i = 0; i < 10; i++) expect(await ask(spoilt)).toBe('invalid_key')
      expect(await ask(strangers[1] as Texts)).toBe('invalid_key')
    })

    it('a missing, half or ambiguous credential does not count', async () => {
      const { keys, ask, created, strangers } = await guarded()
      const line = lines(created)
      const [one = '', two = ''] = [lines(created)[0], lines(strangers[0] as Texts)[0]]
      for (let i = 0; i < 5; i++) {
        await keys.verify({ rawHeaders: [], peer: HERE })
        await keys.verify({ rawHeaders: ['Authorization', ''], peer: HERE })
        await keys.verify({ rawHeaders: [...one.split(': '), ...two.split(': ')], peer: HERE })
        if (line.length > 1) await keys.verify({ rawHeaders: one.split(': '), peer: HERE })
      }
      expect(await ask(strangers[0] as Texts)).toBe('invalid_key')
    })

    it('revoked, disabled, expired, wrong scopes, full windows: a proved key is no failure', async () => {
      const { keys, ask, clock, created, strangers } = await guarded()
      const { id } = created.record
      const seen = new Set<string>()
      const note = async (demand = {}) => {
        for (let i = 0; i < 5; i++) seen.add(await judged(keys, carrying(carrier, created), demand))
      }
      await note({ scopes: ['b:read'] })
      await note({ cost: 11 })
      await keys.disable(id)
      await note()
      await keys.enable(id)
      await keys.update(id, { expiresAt: new Date(clock.now() + 1) })
      clock.advance(1)
      await note()
      await keys.revoke(id)
      await note()
      expect(seen).toEqual(new Set(['insufficient_scope', 'rate_limited', 'disabled', 'expired', 'revoked']))
      expect(await ask(strangers[0] as Texts)).toBe('invalid_key')
    })

    it('a key that was proved in this process passes from the very network that is held back', async () => {
      const { ask, exhaust, created } = await guarded()
      expect(await ask(created)).toBe('admitted')
      await exhaust()
      for (let i = 0; i < 3; i++) expect(await ask(created)).toBe('admitted')
    })

    it('it passes as long as it is kept, however often it is rotated: by the secret that was proved', async () => {
      const { keys, ask, exhaust, created } = await guarded()
      await ask(created)
      const fresh = await keys.rotate(created.record.id, { overlap: '1h' })
      await exhaust()
      expect(await ask(created)).toBe('admitted')
      // Its new secret has been proved from nowhere yet.
      expect(await ask(fresh)).toBe('too_many_failures')
      expect(await ask(fresh, '198.51.100.1')).toBe('admitted')
      expect(await ask(fresh)).toBe('admitted')
    })

    it('a key proved elsewhere does not open the way for other secrets of its id', async () => {
      const { ask, exhaust, created } = await guarded()
      await ask(created)
      await exhaust()
      expect(await ask(await wrongSecretFor(created.record.id, 'fb_', pair))).toBe('too_many_failures')
    })

    it('it never locks a key: whoever has it uses it from any other network, at once', async () => {
      const { ask, created } = await guarded()
      const wrong = await wrongSecretFor(created.record.id, 'fb_', pair)
      for (let i = 0; i < 20; i++) await ask(wrong)
      expect(await ask(wrong)).toBe('too_many_failures')
      expect(await ask(created, '203.0.113.10')).toBe('admitted')
      // And from there it is known in this process: its own network is open to it again.
      expect(await ask(created)).toBe('admitted')
    })

    it('A-08 a flood that comes at once gets no further than one in a row, however long the store takes', async () => {
      const { hasher, computed } = countingHasher()
      const { ask, created, strangers } = await guarded({ store: distantStore(), hasher })
      const before = computed()
      const outcomes = await Promise.all(strangers.map((stranger) => ask(stranger)))
      expect(outcomes.filter((code) => code === 'invalid_key')).toHaveLength(3)
      expect(outcomes.filter((code) => code === 'too_many_failures')).toHaveLength(strangers.length - 3)
      expect(computed() - before).toBe(3)
      expect(await ask(created, '203.0.113.10')).toBe('admitted')
    })

    it('A-08 nor where a hash takes long', async () => {
      const slow: Hasher = { ...sha256(), waste: async (text) => sha256().waste(text) }
      const { ask, strangers } = await guarded({ hasher: slow })
      const outcomes = await Promise.all(strangers.map((stranger) => ask(stranger)))
      expect(outcomes.filter((code) => code === 'invalid_key')).toHaveLength(3)
    })

    it('without the option there is no budget', async () => {
      const { ask, strangers } = await guarded({ failures: undefined })
      for (const stranger of strangers) expect(await ask(stranger)).toBe('invalid_key')
    })
  })
}

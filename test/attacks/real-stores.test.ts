import { setTimeout } from 'node:timers/promises'
import { type ApiKeys, createApiKeys, type Demand, type ListOptions, type StoredKey, type Verdict } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { failure, judged, listener } from '../support/outcome.ts'
import { REAL_STORES, type RealStore } from '../support/real-stores.ts'
import { kept, spiedStore, wrongSecretFor } from '../support/stores.ts'
import { NO_TEXTS, TEXTS } from '../support/texts.ts'

type Options = Partial<Parameters<typeof createApiKeys>[0]>
type Created = Awaited<ReturnType<ApiKeys['create']>>

describe.each(REAL_STORES)('over a real $name,', ({ open }) => {
  let real: RealStore

  beforeAll(async () => {
    real = await open()
  }, 60_000)
  afterAll(() => real?.end())

  /** An instance as a process of its own has it. A busy machine is no fault of the store, unless a test says so. */
  function node(options: Options = {}) {
    const [store, heard] = [real.store(), listener()]
    const keys = createApiKeys({ prefix: 'rs_', store, storeTimeout: '10s', onEvent: heard.onEvent, ...options })
    onTestFinished(() => keys.close())
    return { keys, store, heard }
  }

  const owner = () => `acct ${Math.random()}`

  describe('two guards on one request', () => {
    const burst = (limit: number) => ({ limits: [{ name: 'burst', limit, window: '2s' }] as const })

    it('a refusal by the second says when both would let it pass, or that they never will', async () => {
      const { keys } = node()
      const { key } = await keys.create({ owner: owner(), ...burst(10) })
      const ask = async (later: Demand): Promise<Verdict> => {
        const request = { headers: { 'x-api-key': key }, peer: '192.0.2.1' }
        await keys.verify(request)
        return keys.verify(request, later)
      }
      for (let i = 0; i < 2; i++) expect(await ask(burst(2))).toMatchObject({ ok: true })
      const refused = await ask(burst(2))
      expect(refused).toMatchObject({ code: 'rate_limited', retryAfter: 2 })
      expect(await ask({ cost: 11 })).toMatchObject({ code: 'rate_limited' })
      expect(await ask({ cost: 11 })).not.toHaveProperty('retryAfter')
      await setTimeout(2_000)
      expect(await ask(burst(2))).toMatchObject({ ok: true })
    })
  })

  describe('D. what fails', () => {
    it('D-03, D-27 a server that does not answer: 503, what was just proved goes on for maxLag, and nothing piles up', async () => {
      const clock = fakeClock(Date.now())
      const spied = spiedStore(real.store())
      const { keys, heard } = node({ store: spied.store, storeTimeout: 150, clock, cache: { maxLag: '10m' } })
      // The first connection may take its time.
      await expect
        .poll(() =>
          keys.get('A'.repeat(12)).then(
            () => 'there',
            () => 'not yet',
          ),
        )
        .toBe('there')
      // By one with patience: a busy machine may take longer than the other waits.
      const patient = node({ clock }).keys
      const free = await patient.create({ owner: owner() })
      const limited = await patient.create({ owner: owner(), limits: { hour: 10_000 } })
      await expect.poll(() => judged(keys, limited.key)).toBe('admitted')
      await expect.poll(() => judged(keys, free.key)).toBe('admitted')
      // Those who ask for one key at once share one question: these do not.
      const strangers = await Promise.all(
        Array.from({ length: 300 }, (_, at) => wrongSecretFor(String(at).padStart(12, '0'), 'rs_')),
      )
      real.freeze()
      try {
        const waited = await Promise.all(Array.from({ length: 50 }, () => judged(keys, limited.key)))
        expect(new Set(waited)).toEqual(new Set(['unavailable']))
        expect(await judged(keys, free.key)).toBe('admitted')
        // It is not waited for any more: hundreds are answered, for whom it was asked no more than a few times.
        const isGivenUp = async () => {
          await keys.verify(limited.key)
          return heard.of('fault').at(-1)?.message
        }
        await expect.poll(isGivenUp, { timeout: 5_000 }).toMatch(/was not asked/)
        spied.forget()
        const refused = await Promise.all(strangers.map(({ key }) => judged(keys, key)))
        expect(new Set(refused)).toEqual(new Set(['unavailable']))
        // On a busy machine this takes longer than from one probe to the next.
        expect(spied.calls.filter(({ args }) => String(args[0]).startsWith('000')).length).toBeLessThan(20)
        await expect(keys.update(free.record.id, { name: 'x' })).rejects.toMatchObject({ code: 'STORE' })
        clock.advance('10m')
        expect(await judged(keys, free.key)).toBe('admitted')
        clock.advance(1)
        expect(await judged(keys, free.key)).toBe('unavailable')
      } finally {
        real.thaw()
      }
      await expect.poll(() => judged(keys, limited.key), { timeout: 10_000 }).toBe('admitted')
      await expect.poll(() => judged(keys, free.key), { timeout: 10_000 }).toBe('admitted')
    })

    it('D-05 changes that a server was too late for are unknown, and are what they are: all of it or nothing, and told alike', async () => {
      const { keys, store } = node({ storeTimeout: 300 })
      const patient = node().keys
      const whose = owner()
      const [revoked, rotated] = [await patient.create({ owner: whose }), await patient.create({ owner: whose })]
      for (const { key } of [revoked, rotated]) await expect.poll(() => judged(keys, key)).toBe('admitted')
      const create = () => keys.create({ owner: whose, name: 'late' }, { idempotencyKey: 'once' })
      real.freeze()
      const late = await Promise.all([
        failure(() => keys.revoke(revoked.record.id)),
        failure(() => keys.rotate(rotated.record.id, { overlap: '1h' })),
        failure(create),
      ]).finally(real.thaw)
      for (const { code } of late) expect(code).toBe('STORE')
      // What only reads before it changes has changed nothing when it fails at that.
      for (const { outcome } of late) expect(['unknown', undefined]).toContain(outcome)
      expect(late[2]?.outcome).toBe('unknown')
      const other = node({ cache: false }).keys
      await expect.poll(() => judged(keys, revoked.key), { timeout: 10_000 }).toMatch(/admitted|revoked/)
      // Whatever had been sent has been done by now, or never is.
      await other.create({ owner: whose, name: 'afterwards' })
      const told = await Promise.all([keys, other].map((each) => judged(each, revoked.key)))
      expect([
        ['admitted', 'admitted'],
        ['revoked', 'revoked'],
      ]).toContainEqual(told)
      expect((await kept(store, revoked.record.id)).status).toBe(told[0] === 'admitted' ? 'active' : 'revoked')
      expect(await judged(other, rotated.key)).toBe('admitted')
      // Each may be called again, and is done once.
      await keys.revoke(revoked.record.id)
      for (const each of [keys, other]) expect(await judged(each, revoked.key)).toBe('revoked')
      await create().catch((error) => expect(error).toMatchObject({ code: 'CONFLICT' }))
      const { items } = await other.list({ owner: whose, name: 'late' })
      expect(items).toHaveLength(1)
      const { key: fresh } = await keys.rotate(rotated.record.id, { overlap: 0 })
      expect([await judged(keys, fresh), await judged(keys, rotated.key)]).toEqual(['admitted', 'invalid_key'])
    })

    it("D-31 with limits.onFault 'open', a server that does not answer leaves windows uncounted for maxLag, and nothing else", async () => {
      const clock = fakeClock(Date.now())
      const limits = { default: { hour: 2 }, onFault: 'open' } as const
      const { keys, heard } = node({ storeTimeout: 150, clock, limits })
      const patient = node({ clock, limits }).keys
      const { key } = await patient.create({ owner: owner() })
      // With room for what was asked in vain: a server that is late takes it all the same.
      const paid = await patient.create({ owner: owner(), credits: { remaining: 999 }, limits: { hour: 999 } })
      // The hint of a creation may come late, and what is remembered is then forgotten.
      await setTimeout(300)
      for (const each of [key, paid.key]) await expect.poll(() => judged(keys, each, { cost: 0 })).toBe('admitted')
      real.freeze()
      try {
        for (let time = 0; time < 4; time++) expect(await judged(keys, key)).toBe('admitted')
        expect(heard.of('admitted').filter(({ unmetered }) => unmetered)).toHaveLength(4)
        expect(await judged(keys, paid.key)).toBe('unavailable')
        expect(await judged(keys, key, { scopes: ['a:read'] })).toBe('unavailable')
        clock.advance(1_001)
        expect(await judged(keys, key)).toBe('unavailable')
      } finally {
        real.thaw()
      }
      await expect.poll(() => judged(keys, paid.key), { timeout: 10_000 }).toBe('admitted')
    })

    it('D-12 a store that lost everything admits nobody it does not know, and nobody else after maxLag', async () => {
      const clock = fakeClock(Date.now())
      const { keys } = node({ clock })
      const free = await keys.create({ owner: owner() })
      const limited = await keys.create({ owner: owner(), limits: { hour: 10 } })
      for (const { key } of [free, limited]) expect(await judged(keys, key)).toBe('admitted')
      await real.wipe()
      expect(await judged(node().keys, free.key)).toBe('invalid_key')
      expect(await judged(keys, limited.key)).toBe('invalid_key')
      clock.advance(1_001)
      expect(await judged(keys, free.key)).toBe('invalid_key')
      const { key } = await keys.create({ owner: owner() })
      expect(await judged(keys, key)).toBe('admitted')
    })

    const NO_STATUSES = ['false', 'Active', 'ACTIVE', 'active ', '0', 'f', '', 't', 'null', null, undefined, 0, 1, true]
    it.each(NO_STATUSES.map((status) => [status]))(
      'D-19 a record whose status is %j is no active key, whatever a driver makes of it',
      async (status) => {
        const { keys, store, heard } = node({ cache: false })
        const { key, record } = await keys.create({ owner: owner(), limits: { hour: 10 } })
        const before = await kept(store, record.id)
        const damaged = { ...before, status, version: before.version + 1 } as StoredKey
        const isKept = await Promise.resolve(store.replace(damaged, before.version)).catch(() => false)
        // A column that holds text refuses what is none: then nothing has changed.
        if (typeof status === 'string') expect(isKept).toBe(true)
        if (!isKept) return expect(await kept(store, record.id)).toEqual(before)
        expect(['invalid_key', 'unavailable']).toContain(await judged(keys, key))
        expect(heard.of('fault')).not.toEqual([])
      },
    )

    it('D-15 a record that is damaged admits nobody, hides no other from list and revokeAll, and is named in a fault', async () => {
      const { keys, store, heard } = node({ cache: false })
      const whose = owner()
      const made: Created[] = []
      for (const limits of [{}, { hour: 9 }, {}, { hour: 9 }]) made.push(await keys.create({ owner: whose, limits }))
      const [oldest, second, damaged, newest] = made as [Created, Created, Created, Created]
      await real.damage(damaged.record.id)
      await real.damage(second.record.id)
      for (const { key } of [damaged, second]) expect(await judged(keys, key)).toBe('unavailable')
      heard.events.length = 0
      // Page by page, of which some end at a damaged one, and for its owner as for everyone.
      for (const options of [{ owner: whose }, { owner: whose, limit: 1 }, { owner: whose, limit: 2 }]) {
        expect(await idsOf(keys, options)).toEqual([newest.record.id, oldest.record.id])
      }
      const named = new Set(heard.of('fault').map(({ code, id }) => `${code} ${id}`))
      expect(named).toEqual(new Set([damaged, second].map(({ record }) => `record ${record.id}`)))
      expect(JSON.stringify(heard.events)).not.toMatch(/sha256/)
      await keys.revokeAll({ owner: whose })
      for (const { key } of [newest, oldest]) expect(await judged(keys, key)).toBe('revoked')
      for (const { key } of [damaged, second]) expect(await judged(keys, key)).toBe('unavailable')
      expect(await store.remove(damaged.record.id)).toBe(true)
      expect(await judged(keys, damaged.key)).toBe('invalid_key')
    })

    it('D-21 a use that is written after the removal brings no record back', async () => {
      const [one, two] = [node(), node()]
      const whose = owner()
      const { key, record } = await one.keys.create({ owner: whose })
      expect(await judged(two.keys, key)).toBe('admitted')
      await one.keys.remove(record.id)
      await two.keys.flush()
      expect(await one.store.find(record.id)).toBeUndefined()
      expect((await one.keys.list({ owner: whose })).items).toEqual([])
      expect(await judged(node().keys, key)).toBe('invalid_key')
    })

    it('D-22 whoever begins after a revocation was acknowledged is refused, however many are under way', async () => {
      const [one, two] = [node(), node()]
      const { key, record } = await one.keys.create({ owner: owner(), limits: { hour: 100_000 } })
      expect(await judged(two.keys, key)).toBe('admitted')
      let isRevoked = false
      const late: string[] = []
      const asking = Array.from({ length: 10 }, async () => {
        for (let time = 0; time < 10; time++) {
          const begunAfter = isRevoked
          const code = await judged(two.keys, key)
          if (begunAfter) late.push(code)
        }
      })
      await one.keys.revoke(record.id)
      isRevoked = true
      await Promise.all(asking)
      late.push(await judged(two.keys, key))
      expect(new Set(late)).toEqual(new Set(['revoked']))
    })

    it('D-26 a process whose clock is an hour off counts in the same windows', async () => {
      const clocks = [-3_600_000, 0, 3_600_000].map((off) => fakeClock(Date.now() + off))
      const nodes = clocks.map((clock) => node({ clock }))
      const { key } = await node().keys.create({ owner: owner(), limits: { minute: 6 } })
      const codes: string[] = []
      for (let time = 0; time < 3; time++) for (const { keys } of nodes) codes.push(await judged(keys, key))
      expect(codes).toEqual([...Array(6).fill('admitted'), ...Array(3).fill('rate_limited')])
    })
  })

  describe('R. text that would be a command', () => {
    it('R-10 R-11 comes back as it was given, finds its own key and no other, and revokes no other', async () => {
      const { keys } = node({ prefix: 'inj_', names: 'unique' })
      const mark = `${Math.random()} `
      const texts = TEXTS.map((text) => (mark + text).slice(0, 100).trimEnd())
      const victim = await keys.create({ owner: mark.trim(), name: 'victim' })
      const made = await Promise.all(
        texts.map((text) => keys.create({ owner: text, name: text, resource: text, limits: { hour: 9 } })),
      )
      expect(new Set(texts).size).toBe(TEXTS.length)
      for (const [at, { key, record }] of made.entries()) {
        const text = texts[at] as string
        expect(await keys.get(record.id)).toMatchObject({ owner: text, name: text, resource: text })
        const pages = await Promise.all(
          [{ owner: text }, { resource: text }, { owner: text, name: text }].map((by) => keys.list(by)),
        )
        for (const { items } of pages) expect(items.map(({ id }) => id)).toEqual([record.id])
        expect(await judged(keys, key, { owner: text, resource: text })).toBe('admitted')
        await expect(keys.create({ owner: text, name: text })).rejects.toMatchObject({ code: 'CONFLICT' })
        for (const by of [{ cursor: text }, { owner: `${text}\n` }])
          expect((await failure(() => keys.list(by))).code).toBe('INPUT')
        expect(await keys.get(text)).toBeUndefined()
        expect(await keys.revokeAll({ owner: text, reason: text })).toBe(1)
      }
      for (const text of NO_TEXTS)
        expect((await failure(() => keys.create({ owner: text, name: 'x' }))).code).toBe('INPUT')
      for (const { record } of made)
        expect(await keys.get(record.id)).toMatchObject({ status: 'revoked', revokedReason: record.owner })
      expect(await judged(keys, victim.key)).toBe('admitted')
    })
  })

  describe('C. what is remembered', () => {
    it('C-09 a key that is made after it was asked for is usable at once', async () => {
      const [one, two] = [node({ generateId: () => id }), node()]
      const id = `c9${Math.random().toString(36).slice(2, 12).padEnd(10, '0')}`
      const { key } = await one.keys.create({ owner: owner() })
      await one.keys.remove(id)
      expect(await judged(two.keys, key)).toBe('invalid_key')
      const again = await one.keys.create({ owner: owner() })
      expect(await judged(two.keys, again.key)).toBe('admitted')
    })

    it('C-14 revoke() resolves when the store has it and this process obeys', async () => {
      const { keys, store } = node({ cache: { maxLag: '1h' } })
      const { key, record } = await keys.create({ owner: owner() })
      expect(await judged(keys, key)).toBe('admitted')
      await keys.revoke(record.id)
      expect(await judged(keys, key)).toBe('revoked')
      expect(await kept(store, record.id)).toMatchObject({ status: 'revoked' })
      expect(await judged(node().keys, key)).toBe('revoked')
    })

    it('C-15 what is pushed out of memory by others comes back as it is now, not as it was', async () => {
      const [one, two] = [node({ cache: { maxLag: '1h', maxKeys: 2 } }), node()]
      const made = await Promise.all(Array.from({ length: 6 }, () => one.keys.create({ owner: owner() })))
      const [first] = made as [(typeof made)[0]]
      expect(await judged(one.keys, first.key)).toBe('admitted')
      await two.keys.revoke(first.record.id)
      for (const { key } of made.slice(1)) expect(await judged(one.keys, key)).toBe('admitted')
      expect(await judged(one.keys, first.key)).toBe('revoked')
      for (const { key } of made.slice(1)) expect(await judged(one.keys, key)).toBe('admitted')
      expect(await judged(one.keys, first.key)).toBe('revoked')
    })
  })

  describe('X. what happens at once, or twice', () => {
    it('X-01, X-05 a rotation works everywhere at once, and no more than two secrets ever do', async () => {
      const [one, two] = [node({ cache: false }), node({ cache: false })]
      const { key, record } = await one.keys.create({ owner: owner() })
      const second = await one.keys.rotate(record.id, { overlap: '1h' })
      for (const text of [key, second.key]) expect(await judged(two.keys, text)).toBe('admitted')
      const third = await two.keys.rotate(record.id, { overlap: '1h' })
      const codes = await Promise.all([key, second.key, third.key].map((text) => judged(one.keys, text)))
      expect(codes).toEqual(['invalid_key', 'admitted', 'admitted'])
      const last = await two.keys.rotate(record.id, { overlap: 0 })
      expect(await judged(one.keys, third.key)).toBe('invalid_key')
      expect(await judged(one.keys, last.key)).toBe('admitted')
    })

    it('X-03 against rotations and updates, a revocation wins, whichever comes first', async () => {
      const nodes = [node({ cache: false }), node({ cache: false }), node({ cache: false })]
      for (let round = 0; round < 5; round++) {
        const [one, two, three] = nodes as [(typeof nodes)[0], (typeof nodes)[0], (typeof nodes)[0]]
        const { key, record } = await one.keys.create({ owner: owner() })
        const [rotated, revoked] = await Promise.allSettled([
          one.keys.rotate(record.id, { overlap: '1h' }),
          two.keys.revoke(record.id),
          three.keys.update(record.id, { name: 'x' }),
          three.keys.enable(record.id),
        ])
        expect(revoked.status).toBe('fulfilled')
        const texts = [key, ...(rotated.status === 'fulfilled' ? [rotated.value.key] : [])]
        for (const text of texts) expect(await judged(three.keys, text)).toBe('revoked')
      }
    })

    it('X-08 of 100 creates of one name at once exactly one succeeds; another case is another name', async () => {
      const nodes = Array.from({ length: 4 }, () => node({ names: 'unique' }))
      const whose = owner()
      const create = (at: number, name: string) => nodes[at % 4]?.keys.create({ owner: whose, name })
      const all = await Promise.allSettled(Array.from({ length: 100 }, (_, at) => create(at, 'Sync')))
      expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      const codes = all.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []))
      expect(new Set(codes)).toEqual(new Set(['CONFLICT']))
      await create(1, 'sync')
      await create(2, 'Sync ')
      expect((await nodes[0]?.keys.list({ owner: whose }))?.items).toHaveLength(3)
    })

    it('X-09 a creation that is repeated with its idempotency key makes one key', async () => {
      const nodes = [node(), node()]
      const input = { owner: owner(), name: 'Sync' }
      const create = (at: number) => nodes[at % 2]?.keys.create(input, { idempotencyKey: 'once' })
      const all = await Promise.allSettled(Array.from({ length: 20 }, (_, at) => create(at)))
      expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect((await nodes[0]?.keys.list({ owner: input.owner }))?.items).toHaveLength(1)
    })

    it('X-11 of several removals one finds the key; whoever verifies meanwhile is admitted or invalid_key', async () => {
      const [one, two] = [node({ cache: false }), node({ cache: false })]
      const { key, record } = await one.keys.create({ owner: owner(), limits: { hour: 1_000 } })
      const asking = Promise.all(Array.from({ length: 30 }, () => judged(two.keys, key)))
      const removals = await Promise.allSettled([one, two, one, two].map(({ keys }) => keys.remove(record.id)))
      expect(removals.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      const codes = removals.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []))
      expect(codes).toEqual(Array(3).fill('NOT_FOUND'))
      for (const code of await asking) expect(['admitted', 'invalid_key']).toContain(code)
      expect(await judged(one.keys, key)).toBe('invalid_key')
    })
  })
})

/** The ids on every page. */
async function idsOf(keys: ApiKeys, options: ListOptions): Promise<readonly string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const page = await keys.list({ ...options, cursor })
    ids.push(...page.items.map(({ id }) => id))
    cursor = page.cursor
  } while (cursor !== undefined)
  return ids
}

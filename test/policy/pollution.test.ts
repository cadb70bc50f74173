import { type ApiKeysOptions, createApiKeys, type Demand, type KeyStore, memoryStore, sha256 } from 'keyward'
import { sqliteStore } from 'keyward/sqlite'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { hold, purse } from '../support/money.ts'
import { accessIn, failure, judged } from '../support/outcome.ts'
import { alteredStore, wrongSecretFor } from '../support/stores.ts'
import { unknownKeys } from '../support/strangers.ts'

/** What a host's other code may have put on every object, and why it would matter. */
const POLLUTIONS: readonly (readonly [name: string, value: unknown])[] = [
  ['scopes', ['*']],
  ['owner', 'acct_1'],
  ['resource', 'agent:1'],
  ['status', 'active'],
  ['disabled', false],
  ['revokedAt', undefined],
  ['expiresAt', 4_102_444_800_000],
  ['allowedIps', ['10.0.0.0/8']],
  ['limits', { minute: { limit: 9, ms: 60_000 } }],
  ['environment', 'live'],
  ['optional', true],
  ['skip', true],
  ['cost', 0],
  ['reserve', 0],
  ['gate', () => undefined],
  ['failures', { limit: 1_000_000, window: 1 }],
  ['failures', { limit: 1, window: '1h' }],
  ['credits', 'owner'],
  ['credits', { remaining: 1_000, opened: 1 }],
  ['credits', { account: ':acct_1', opening: { amount: 1_000, at: 0 }, amount: 0 }],
  ['remaining', 1_000],
  ['opened', 1],
  ['refill', { amount: 1_000, every: '1h' }],
  ['refill', { to: 1_000, due: 4_102_444_800_000 }],
  ['opening', { amount: 1_000, at: 0 }],
  ['account', ':acct_1'],
  ['amount', 0],
  ['add', 1_000],
  ['settle', { id: 'x', amount: 1, until: 4_102_444_800_000 }],
  ['release', 'x'],
  ['hold', { id: 'x', until: 4_102_444_800_000 }],
  ['charged', 0],
  ['free', 1_000],
  ['balance', 1_000],
  ['until', 0],
  ['stale', undefined],
  ['ok', true],
  ['actor', 'someone'],
  ['address', '198.51.100.1'],
  ['most', 0],
  ['least', 1],
  ['asked', { wall: 4_102_444_800_000, steady: 4_102_444_800_000 }],
]

/** Runs with a name on every object, and takes it away again whatever happens. */
async function polluted<T>(name: string, value: unknown, run: () => Promise<T>): Promise<T> {
  Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true })
  try {
    return await run()
  } finally {
    Reflect.deleteProperty(Object.prototype, name)
  }
}

/** Everything that is decided about money and accounts, as text. */
async function decisions(store?: KeyStore): Promise<string> {
  const seen: unknown[] = []
  const gate: NonNullable<ApiKeysOptions['gate']> = ({ name }) => (name === 'bad' ? 'account_suspended' : undefined)
  const failures = { limit: 2, window: '1m' } as const
  const options: ApiKeysOptions = { prefix: 'pp_', clock: fakeClock(), gate, failures, ...(store && { store }) }
  const keys = createApiKeys(options)
  const paid = await keys.create({ owner: 'acct_1', credits: { remaining: 6 } })
  const { id } = paid.record
  const ask = async (key: string, demand?: Demand) => seen.push(await judged(keys, key, demand))

  await ask(paid.key)
  await ask(paid.key, { cost: 6 })
  await ask(paid.key, { reserve: 6 })
  const { settle } = await hold({ keys, key: paid.key }, { reserve: 3 })
  seen.push(await keys.balance({ id }), await settle(2), await settle(2), await keys.credit({ id }, 4))
  seen.push((await keys.update(id, { credits: { remaining: 2 } })).credits, (await keys.get(id))?.credits)
  for (let i = 0; i < 3; i++) await ask(paid.key)

  for (const input of [{ name: 'bad' }, { limits: { minute: 1 } }, {}]) {
    const { key } = await keys.create({ owner: 'acct_1', ...input })
    for (let i = 0; i < 2; i++) await ask(key)
  }
  const [stranger] = await unknownKeys('pp_', 1)
  for (let i = 0; i < 3; i++) seen.push(await judged(keys, { key: stranger?.key ?? '', address: '10.0.0.1' }))
  return JSON.stringify(seen)
}

describe('P. Prototype pollution', () => {
  it.each(POLLUTIONS)(
    'P-01 Object.prototype.%s = %j decides nothing about money, accounts and failures',
    async (name, value) => {
      const clean = await decisions()
      expect(clean).toContain('"admitted","insufficient_balance","insufficient_balance",2,{"charged":2,"short":0}')
      expect(await polluted(name, value, decisions)).toBe(clean)
    },
  )

  it.each(POLLUTIONS)('P-01 Object.prototype.%s = %j decides nothing in SQLite either', async (name, value) => {
    const clean = await decisions(sqliteStore(':memory:'))
    const store = sqliteStore(':memory:')
    expect(await polluted(name, value, () => decisions(store))).toBe(clean)
  })

  it('P-01 Object.prototype.previous is no secret of a key, from a store that leaves it out either', async () => {
    const store = alteredStore(({ previous: _, ...stored }) => stored)
    const keys = createApiKeys({ prefix: 'pp_', store, cache: false })
    const { record } = await keys.create({ owner: 'acct_1' })
    const { key } = await wrongSecretFor(record.id, 'pp_')
    const previous = { hash: await sha256().make(key), since: 0, until: 4_102_444_800_000 }
    expect(await polluted('previous', previous, async () => judged(keys, key))).toBe('invalid_key')
  })

  it.each(POLLUTIONS)('P-01 Object.prototype.%s = %j gives an owner no balance', async (name, value) => {
    const run = async () => {
      const keys = createApiKeys({ prefix: 'pp_', credits: 'owner' })
      const { key } = await keys.create({ owner: 'acct_9' })
      const poor = await judged(keys, key)
      const given = await keys.credit({ owner: 'acct_9' }, 2)
      return [poor, given, await judged(keys, key, { cost: 2 }), await judged(keys, key)]
    }
    expect(await polluted(name, value, run)).toEqual(['insufficient_balance', 2, 'admitted', 'insufficient_balance'])
  })
})

/** A value that reads as the first, then as the second. */
function shifting<T extends object, K extends keyof T & string>(
  target: T,
  field: K,
  later: T[K],
): T & { reads(): number } {
  let reads = 0
  const first = target[field]
  Object.defineProperty(target, field, { enumerable: true, get: () => (reads++ === 0 ? first : later) })
  return Object.defineProperty(target, 'reads', { value: () => reads, enumerable: false }) as T & { reads(): number }
}

describe('P. Values that change between reads', () => {
  it('P-02 a budget of failures is the one that was checked', async () => {
    for (const [field, later] of [
      ['limit', 1_000_000],
      ['window', 1],
    ] as const) {
      const failures = shifting({ limit: 2, window: '1h' } as { limit: number; window: number | '1h' }, field, later)
      const clock = fakeClock()
      const keys = createApiKeys({ prefix: 'pp_', clock, failures })
      const [stranger] = await unknownKeys('pp_', 1)
      const seen = []
      for (let i = 0; i < 4; i++) {
        seen.push(await judged(keys, { key: stranger?.key ?? '', address: '10.0.0.1' }))
        clock.advance('1s')
      }
      expect(seen).toEqual(['invalid_key', 'invalid_key', 'too_many_failures', 'too_many_failures'])
    }
  })

  it('P-02 options that are changed after construction change nothing', async () => {
    const options = { prefix: 'pp_', gate: () => 'account_suspended' as const, failures: { limit: 1, window: '1h' } }
    const keys = createApiKeys(options as ApiKeysOptions)
    Object.assign(options, { gate: () => undefined, credits: 'owner' })
    options.failures.limit = 1_000_000
    const { key } = await keys.create({ owner: 'acct_1' })
    const [stranger] = await unknownKeys('pp_', 1)
    expect(await judged(keys, key)).toBe('account_suspended')
    await keys.verify({ key: stranger?.key ?? '', address: '10.0.0.1' })
    expect(await judged(keys, { key: stranger?.key ?? '', address: '10.0.0.1' })).toBe('too_many_failures')
  })

  it.each(['gate', 'credits', 'failures'] as const)('P-02 the option %s is read once', async (field) => {
    const given = { gate: () => undefined, credits: 'key', failures: { limit: 5, window: '1h' } } as const
    const options = shifting<ApiKeysOptions, typeof field>({ prefix: 'pp_', ...given }, field, 'nonsense' as never)
    const keys = createApiKeys(options)
    expect(options.reads()).toBe(1)
    const { key } = await keys.create({ owner: 'acct_1', credits: { remaining: 1 } })
    expect([await judged(keys, key), await judged(keys, key)]).toEqual(['admitted', 'insufficient_balance'])
    expect(options.reads()).toBe(1)
  })

  it('P-02 credits of a key are those that were checked, at creation and at update', async () => {
    const { keys, id } = await purse({ remaining: 1 })
    const credits = () => shifting({ remaining: 2 }, 'remaining', -5)
    const { record } = await keys.create({ owner: 'acct_1', credits: credits() })
    expect(record.credits).toEqual({ remaining: 2 })
    expect((await keys.update(id, { credits: credits() })).credits).toEqual({ remaining: 2 })
    const refill = () => shifting({ amount: 2, every: 'day' as string }, 'every', 'never')
    const filled = await keys.update(id, { credits: { remaining: 0, refill: refill() as never } })
    expect(filled.credits).toEqual({ remaining: 0, refill: { amount: 2, every: 'day' } })
  })

  it('P-02 a demand is read once', async () => {
    const { keys, key, left } = await purse({ remaining: 9 })
    const demand = shifting<Demand, 'cost'>({ cost: 2 }, 'cost', -5)
    expect(await judged(keys, key, demand)).toBe('admitted')
    expect([demand.reads(), await left()]).toEqual([1, 7])
  })

  it('P-02 a Proxy that lies about its fields is refused or taken at its first word', async () => {
    const { keys, id, left } = await purse({ remaining: 1 })
    const liar = new Proxy(
      { remaining: 3 },
      { ownKeys: () => ['remaining', 'opened'], get: (_, field) => (field === 'remaining' ? 3 : 0) },
    )
    const outcome = await keys.update(id, { credits: liar }).catch((error: { code: string }) => error.code)
    expect(outcome === 'INPUT' ? 1 : 3).toBe(await left())
  })

  it('P-01 own fields called like those of Object.prototype are fields that nobody knows', async () => {
    const keys = createApiKeys({ prefix: 'pp_', store: memoryStore() })
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const credits = JSON.parse(`{ "remaining": 5, "${name}": { "remaining": 9 } }`)
      expect((await failure(() => keys.create({ owner: 'acct_1', credits }))).code).toBe('INPUT')
    }
    const { key } = await keys.create({ owner: 'constructor', credits: { remaining: 5 } })
    expect(accessIn(await keys.verify(key)).credits).toEqual({ remaining: 4 })
  })
})

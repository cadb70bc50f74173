import assert from 'node:assert/strict'
import {
  type ApiKeys,
  type ApiKeysOptions,
  createApiKeys,
  type Demand,
  type Hasher,
  hmac,
  type Limits,
  memoryStore,
  sha256,
  type Verdict,
} from 'keyward'
import { Texts } from './fresh.ts'
import { CLIENTS, fullPolicy, STRANGERS } from './full-policy.ts'
import type { Variant } from './instrument.ts'
import { HIGH, isAdmitted, isDenied, PREFIX } from './subject.ts'

const SCOPES = ['contacts:read', 'contacts:update']
const HOUR = 3_600_000

/** What keypal does, and what better-auth does: each is timed beside its own. */
export const NO_WINDOW = 'Keyward: warm verify, no limits, one scope demanded'
export const ONE_WINDOW = 'Keyward: warm verify, one window, one scope demanded'

const SCOPED: Demand = Object.freeze({ scopes: Object.freeze(['contacts:read'] as const) })
const pepper = () => hmac({ current: 'p1', peppers: { p1: 'vR8kq2ZtYw6LxJ4nB7cM1sF5hD3gA9eP' } })

/** Each is made and timed in a process of its own: a server has one configuration, and the engine compiles for what it sees. */
export const KEYWARD: Readonly<Record<string, (name: string) => Promise<Variant>>> = {
  'Keyward: warm verify, two windows': (name) => warm(name, { limits: HIGH }),
  'Keyward: warm verify, two windows, identity read': (name) => warm(name, { limits: HIGH, read: true }),
  'Keyward: warm verify, two windows, awaited': (name) => warm(name, { limits: HIGH, waits: true }),
  'Keyward: warm verify, two windows, 1000 keys': (name) => warm(name, { limits: HIGH, keys: 1000 }),
  'Keyward: warm verify, 60 a minute and 1000 an hour, 1000 keys': realistic,
  'Keyward: warm verify, two windows, one scope demanded': (name) => warm(name, { limits: HIGH, demand: SCOPED }),
  [NO_WINDOW]: (name) => warm(name, { demand: SCOPED }),
  [ONE_WINDOW]: (name) => warm(name, { limits: { minute: 1e9 }, demand: SCOPED }),
  'Keyward: warm verify, two windows, 100 CIDRs, 20 scopes, a resource': (name) => fullPolicy(name, CLIENTS),
  'Keyward: warm verify, two windows, 100 CIDRs, 20 scopes, a resource, addresses not seen before': (name) =>
    fullPolicy(name, STRANGERS),
  'Keyward: warm verify, two windows, hmac()': (name) => warm(name, { limits: HIGH, hasher: pepper() }),
  'Keyward: warm verify of a request, two windows': (name) => ofRequests(name, undefined, []),
  'Keyward: warm verify of a request, two windows, on a connection that proved its key': (name) =>
    ofRequests(name, {}, []),
  'Keyward: warm verify of a request of 12 header lines, two windows': (name) => ofRequests(name, undefined, OTHERS),
  'Keyward: warm verify of a request of 12 header lines, two windows, on a connection that proved its key': (name) =>
    ofRequests(name, {}, OTHERS),
  'Keyward: warm verify, no limits': (name) => warm(name, {}),
  'Keyward: warm verify, no limits, 1000 keys': (name) => warm(name, { keys: 1000 }),
  'Keyward: malformed (a character is missing)': (name) => refused(name, ({ key }) => key.slice(0, -1)),
  'Keyward: bad checksum': (name) => refused(name, ({ key }) => key.slice(0, -1) + (key.endsWith('0') ? '1' : '0')),
  'Keyward: unknown key': (name) => refused(name, ({ foreign }) => foreign),
  'Keyward: wrong secret of a known key': (name) => refused(name, ({ imposter }) => imposter),
}

/** What a browser, or a client behind a proxy, sends beside its key. */
const OTHERS = [
  ...['Host', 'api.example.com', 'Connection', 'keep-alive', 'Accept', 'application/json', 'Accept-Language', 'en'],
  ...['Accept-Encoding', 'gzip, deflate, br', 'User-Agent', 'client/1.0', 'X-Forwarded-For', '203.0.113.9'],
  ...['X-Forwarded-Proto', 'https', 'X-Request-Id', '7f0c', 'Traceparent', '00-0af7', 'Cache-Control', 'no-cache'],
]

interface Scenario {
  readonly limits?: Limits
  readonly keys?: number
  readonly demand?: Demand
  readonly hasher?: Hasher
  readonly waits?: boolean
  /** Whether the handler's identity is asked for, as a handler does that looks whose key it is. */
  readonly read?: boolean
}

async function warm(name: string, scenario: Scenario): Promise<Variant> {
  const { limits, keys: count = 1, demand, hasher = sha256(), waits = false, read = false } = scenario
  const { keys, texts } = await filled(count, { hasher, ...(limits && { limits: { default: limits } }) })
  const source = new Texts(texts.map(({ key }) => key))
  return {
    name,
    waits,
    async check() {
      await checkKeys(keys, texts, demand)
      if (limits !== undefined) await checkLimits(hasher)
      if (!waits) assert(!(keys.verify(source.at(0), demand) instanceof Promise), 'a warm verification does not wait')
    },
    texts: (calls) => source.take(calls),
    call: callOf(keys, demand, read),
    isRight: isAdmitted,
  }
}

function callOf(keys: ApiKeys, demand: Demand | undefined, read: boolean): Variant['call'] {
  if (demand !== undefined) return (text) => keys.verify(text, demand)
  if (!read) return (text) => keys.verify(text)
  return (text) => {
    const verdict = keys.verify(text)
    if (isAdmitted(verdict) && verdict.access?.owner !== 'acct_0') throw new Error('another identity')
    return verdict
  }
}

/** As an adapter asks: header lines, each time of another request. @param others those beside the key's */
async function ofRequests(name: string, connection: object | undefined, others: readonly string[]): Promise<Variant> {
  const { keys, texts } = await filled(1, { limits: { default: HIGH } })
  const source = new Texts(texts.map(({ key }) => `Bearer ${key}`))
  const call = (text: string) => keys.verify({ rawHeaders: [...others, 'Authorization', text], connection })
  return {
    name,
    waits: false,
    async check() {
      await checkKeys(keys, texts, undefined)
      await checkLimits(sha256())
      for (const { key, imposter } of texts) {
        for (let n = 0; n < 2; n++) assert(isAdmitted(await call(`Bearer ${key}`)), 'a valid key is admitted')
        await isDenied(call(`Bearer ${imposter}`), 'invalid_key')
      }
    },
    texts: (calls) => source.take(calls),
    call,
    isRight: isAdmitted,
  }
}

/** The limits of a real service. An hour goes by before each round, so that no key of many comes near them. */
async function realistic(name: string): Promise<Variant> {
  let past = 0
  const clock = { now: () => Date.now() + past, monotonic: () => performance.now() + past }
  const { keys, texts } = await filled(1000, { clock, limits: { default: { minute: 60, hour: 1000 } } })
  const source = new Texts(texts.map(({ key }) => key))
  return {
    name,
    waits: false,
    async check() {
      await checkKeys(keys, texts, undefined)
      await checkLimits(sha256())
    },
    texts(calls) {
      past += HOUR
      return source.take(calls)
    },
    call: (text) => keys.verify(text),
    isRight: isAdmitted,
  }
}

async function refused(name: string, spoil: (made: Made) => string): Promise<Variant> {
  const { keys, texts } = await filled(1000, { limits: { default: HIGH } })
  const source = new Texts(texts.map(spoil))
  return {
    name,
    waits: false,
    async check() {
      await checkKeys(keys, texts, undefined)
      for (const text of source.take(1000)) assert(isRefused(await keys.verify(text)), `${name} is refused`)
    },
    texts: (calls) => source.take(calls),
    call: (text) => keys.verify(text),
    isRight: isRefused,
  }
}

/** A key, and well-formed texts beside it: of nobody, and of the same id with another secret. */
interface Made {
  readonly id: string
  readonly key: string
  readonly foreign: string
  readonly imposter: string
}

async function filled(count: number, options: Omit<ApiKeysOptions, 'prefix' | 'scopes'>) {
  const keys = createApiKeys({ prefix: PREFIX, store: memoryStore(), ...options })
  const elsewhere = createApiKeys({ prefix: PREFIX, store: memoryStore() })
  const texts: Made[] = []
  for (let n = 0; n < count; n++) {
    const { key, record } = await keys.create({ owner: `acct_${n}`, name: `Key ${n}`, scopes: SCOPES })
    const twin = createApiKeys({ prefix: PREFIX, store: memoryStore(), generateId: () => record.id })
    const { key: foreign } = await elsewhere.create({ owner: 'nobody' })
    const { key: imposter } = await twin.create({ owner: 'nobody' })
    texts.push({ id: record.id, key, foreign, imposter })
  }
  return { keys, texts }
}

async function checkKeys(keys: Awaited<ReturnType<typeof filled>>['keys'], made: readonly Made[], demand?: Demand) {
  for (const { id, key, foreign, imposter } of made) {
    const verdict = await keys.verify(key, demand)
    assert(isAdmitted(verdict), 'a valid key is admitted')
    assert.equal(verdict.access?.id, id)
    assert(isRefused(await keys.verify(foreign, demand)), 'an unknown key is refused')
    assert(isRefused(await keys.verify(imposter, demand)), 'a wrong secret is refused')
  }
  if (demand === undefined) return
  const verdict = await keys.verify(made[0]?.key ?? '', { scopes: ['contacts:delete'] })
  assert(!verdict.ok && verdict.code === 'insufficient_scope', 'a scope that the key lacks is refused')
}

/** The same instance with limits that can be reached. */
async function checkLimits(hasher: Hasher): Promise<void> {
  for (const limits of [
    { minute: 2, hour: 9 },
    { minute: 9, hour: 2 },
  ]) {
    const { keys, texts } = await filled(1, { hasher, limits: { default: limits } })
    const verdicts: Verdict[] = []
    for (let use = 0; use < 3; use++) verdicts.push(await keys.verify(texts[0]?.key ?? ''))
    assert.deepEqual(
      verdicts.map((verdict) => (verdict.ok ? 'admitted' : verdict.code)),
      ['admitted', 'admitted', 'rate_limited'],
    )
  }
}

function isRefused(verdict: unknown): boolean {
  return !(verdict as Verdict).ok && (verdict as { code: string }).code === 'invalid_key'
}

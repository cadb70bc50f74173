import assert from 'node:assert/strict'
import { type ApiKeys, createApiKeys, type KeyStore, memoryStore, type Verdict } from 'keyward'
import { Texts } from './fresh.ts'
import type { Variant } from './instrument.ts'
import { HIGH } from './subject.ts'

const FEW = 1_000
const MANY = Number(process.env.MANY ?? 1_000_000)
/** Keys of an owner. */
const WHALE = 100_000
const OF_ONE = 10
/** Owners of a few keys, as many as to take the keys that are made without growing much. */
const OWNERS = 1_000

const [few, many, whole] = [FEW, MANY, WHALE].map((count) => count.toLocaleString('en-US')) as [string, string, string]
const OF_FEW = `Keyward: verify, any of ${few} keys`
const OF_MANY = `Keyward: verify, any of ${many} keys`
const BUSY = `Keyward: verify, any of ${few} busy keys among ${many}`
const VERIFY = 'Keyward: verify, a key of an owner'
const CREATE = 'Keyward: create, for an owner'
const LIST = 'Keyward: list, 10 keys of an owner'
const one = (work: string) => `${work} with ${OF_ONE}`
const all = (work: string) => `${work} with ${whole}`

export const SCALE_PAIRS = [
  [OF_MANY, OF_FEW],
  [BUSY, OF_FEW],
] as const

export const OWNER_PAIRS = [VERIFY, CREATE, LIST].map((work) => [all(work), one(work)] as const)

/** A store of very many keys beside one of few. */
export async function scaleVariants(): Promise<readonly Variant[]> {
  const small = await shelf([['acct', FEW]])
  const large = await shelf([['acct', MANY]])
  const busy = large.texts.filter((_text, at) => at % (MANY / FEW) === 0)
  return [
    verifying(OF_FEW, small.keys, small.texts),
    verifying(OF_MANY, large.keys, large.texts),
    // Another process, as it were: what is remembered of the busy ones is not pushed out by all others.
    verifying(BUSY, createApiKeys({ ...OPTIONS, store: large.store }), busy),
  ]
}

/** One owner of very many keys, and many of a few, in one store. */
export async function ownerVariants(): Promise<readonly Variant[]> {
  const names = Array.from({ length: OWNERS }, (_, n) => `acct_${1000 + n}`)
  const whale = 'acct_9999'
  const { keys, store, texts } = await shelf([[whale, WHALE], ...names.map((name) => [name, OF_ONE] as const)])
  const some = texts.slice(0, WHALE).filter((_text, at) => at % (WHALE / OF_ONE) === 0)
  return [
    verifying(one(VERIFY), keys, texts.slice(WHALE, WHALE + OF_ONE)),
    verifying(all(VERIFY), keys, some),
    creating(one(CREATE), keys, store, names, OF_ONE),
    creating(all(CREATE), keys, store, [whale], WHALE),
    listing(one(LIST), keys, names),
    listing(all(LIST), keys, [whale]),
  ]
}

const OPTIONS = { prefix: 'agk_live_', limits: { default: HIGH } } as const

interface Shelf {
  readonly keys: ApiKeys
  readonly store: KeyStore
  readonly texts: readonly string[]
}

/** @param owners each with how many keys it has */
async function shelf(owners: readonly (readonly [owner: string, count: number])[]): Promise<Shelf> {
  const store = memoryStore()
  const keys = createApiKeys({ ...OPTIONS, store })
  const texts: string[] = []
  for (const [owner, count] of owners) {
    for (let n = 0; n < count; n++) texts.push((await keys.create({ owner, scopes: ['contacts:read'] })).key)
  }
  return { keys, store, texts }
}

function verifying(name: string, keys: ApiKeys, texts: readonly string[]): Variant {
  const source = new Texts(texts)
  return {
    name,
    waits: false,
    async check() {
      const [text = ''] = texts
      assert((await keys.verify(text)).ok)
      assert(!(await keys.verify(`${text.slice(0, -8)}xxxxxxxx`)).ok)
    },
    texts: (calls) => source.take(calls),
    call: (text) => keys.verify(text),
    isRight: (verdict) => (verdict as Verdict).ok,
  }
}

/** What a round made is removed before the next, so that an owner keeps its size. */
function creating(name: string, keys: ApiKeys, store: KeyStore, owners: readonly string[], size: number): Variant {
  const source = new Texts(owners)
  let made: string[] = []
  return {
    name,
    waits: true,
    calls: 2_000,
    async check() {
      const [owner = ''] = owners
      const { key, record } = await keys.create({ owner, scopes: ['contacts:read'] })
      assert((await keys.verify(key)).ok)
      await keys.remove(record.id)
      const { items, cursor } = await keys.list({ owner })
      assert(size <= items.length ? items.length === size : cursor !== undefined, 'the owner has as many keys')
    },
    texts(calls) {
      for (const id of made) store.remove(id)
      made = []
      return source.take(calls)
    },
    async call(owner) {
      const { record } = await keys.create({ owner, scopes: ['contacts:read'] })
      made.push(record.id)
      return record
    },
    isRight: (record) => (record as { status: string }).status === 'active',
  }
}

function listing(name: string, keys: ApiKeys, owners: readonly string[]): Variant {
  const source = new Texts(owners)
  const list = (owner: string) => keys.list({ owner, limit: OF_ONE })
  return {
    name,
    waits: true,
    calls: 2_000,
    async check() {
      const [owner = ''] = owners
      const { items } = await list(owner)
      assert(items.length === OF_ONE && items.every((item) => item.owner === owner))
    },
    texts: (calls) => source.take(calls),
    call: list,
    isRight: (page) => (page as { items: readonly unknown[] }).items.length === OF_ONE,
  }
}

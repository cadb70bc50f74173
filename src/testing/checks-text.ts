import { isObject } from '../model/is-object.ts'
import type { StoredKey } from '../model/key.ts'
import { type Bench, type Draft, next, randomText, same } from './check-bench.ts'
import { fullKey } from './full-key.ts'

/** Each differs from the others only in what a careless comparison overlooks: case, a space, an accent's spelling. */
const LOOKALIKES = ['Ab', 'ab', 'AB', 'Ab ', ' Ab', '\u00c5b', 'A\u030ab', 'A%', 'A_']
const ODD = [
  "' OR '1'='1",
  '"; DROP TABLE keys; --',
  '%_\\',
  '__proto__',
  'constructor',
  '{a}:*?[b]',
  'a\nb\tc',
  '🔑é中',
]

/** Text is compared byte for byte, and what a caller holds is its own. */
export const TEXT_CHECKS: readonly Draft[] = [
  {
    id: 'text-ids-exact',
    name: 'ids that differ in case, a space or an accent are different keys',
    hold: async ({ store, added }) => {
      const mark = randomText()
      const keys: StoredKey[] = []
      for (const text of LOOKALIKES) keys.push(await added({ id: `${text}${mark}${text}`, name: text }))
      for (const key of keys) same(await store.find(key.id), key, 'compare ids byte for byte: a binary collation')
      same(await store.find(`aB${mark}aB`), undefined, 'compare ids byte for byte: do not fold case')
    },
  },
  {
    id: 'text-owners-exact',
    name: 'owners that differ in case, a space or an accent are different',
    hold: async ({ added, listed, owner }) => {
      for (const text of LOOKALIKES) await added({ owner: `${owner}${text}` })
      for (const text of LOOKALIKES) {
        const found = (await listed({ owner: `${owner}${text}` })).map((key) => key.owner)
        same(found, [`${owner}${text}`], 'compare owners byte for byte: no LIKE, no collation, no trimming')
      }
    },
  },
  {
    id: 'text-resources-exact',
    name: 'resources that differ in case, a space or an accent are different',
    hold: async ({ added, listed, owner }) => {
      for (const text of LOOKALIKES) await added({ resource: text })
      for (const text of LOOKALIKES) {
        const found = (await listed({ owner, resource: text })).map((key) => key.resource)
        same(found, [text], 'compare resources byte for byte: no LIKE, no collation, no trimming')
      }
    },
  },
  {
    id: 'text-names-exact',
    name: 'unique names that differ in case, a space or an accent are different names',
    hold: async ({ store, added }) => {
      const mark = randomText()
      const keys: StoredKey[] = []
      for (const text of LOOKALIKES) keys.push(await added({ uniqueName: `${mark} ${text}`, name: text }))
      for (const key of keys) same(await store.find(key.id), key, 'keep a uniqueName byte for byte')
    },
  },
  {
    id: 'text-odd',
    name: 'quotes, wildcards, `__proto__` and emoji in any text are only text',
    hold: async (bench) => {
      for (const text of ODD) await holdOddText(bench, `${text}${randomText()}`)
      await holdOddText(bench, 'long'.repeat(50) + randomText())
    },
  },
  {
    id: 'text-odd-unknown',
    name: 'find() of odd text that is no id answers undefined',
    hold: async ({ store }) => {
      for (const text of [...ODD, '', ' ', '*', 'x'.repeat(512)]) {
        same(await store.find(text), undefined, `find only the very id, not ${text}: bind it as a parameter`)
      }
    },
  },
  {
    id: 'own-given',
    name: 'what a caller does later to the key that it gave changes nothing',
    hold: async ({ store, newKey }) => {
      const given = structuredClone(fullKey(newKey()))
      const before = structuredClone(given)
      await store.insert(given)
      vandalise(given)
      same(await store.find(before.id), before, 'keep a copy of what insert is given')
      const second = structuredClone(next(before))
      const after = structuredClone(second)
      await store.replace(second, before.version)
      vandalise(second)
      same(await store.find(before.id), after, 'keep a copy of what replace is given')
    },
  },
  {
    id: 'own-got',
    name: 'what a caller does to a key that it got changes nothing',
    hold: async ({ store, newKey, listed, owner }) => {
      const key = fullKey(newKey())
      await store.insert(key)
      vandalise(await store.find(key.id))
      vandalise(await listed({ owner }))
      same(await store.find(key.id), key, 'answer copies, or frozen objects')
    },
  },
]

async function holdOddText({ store, added, listed }: Bench, text: string): Promise<void> {
  const metadata = JSON.parse(`{"__proto__":{"text":${JSON.stringify(text)}},"constructor":1}`)
  const key = await added({ id: text, owner: text, name: text, uniqueName: text, resource: text, metadata })
  same(await store.find(text), key, 'keep text as it is')
  const items = await listed({ owner: text, resource: text })
  same(items, [key], 'list by any owner and resource: bind them as parameters')
  same(await store.remove(text), true, 'remove by any id')
}

/** Changes whatever can be changed. */
function vandalise(value: unknown): void {
  if (!isObject(value)) return
  for (const member of Object.values(value)) vandalise(member)
  for (const name of Object.keys(value)) Reflect.set(value, name, 'vandalised')
  if (Array.isArray(value) && !Object.isFrozen(value)) value.push('vandalised')
}

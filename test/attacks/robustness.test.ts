import { createApiKeys, type Verdict } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { sealed } from '../support/forge.ts'
import { codeOf, judged } from '../support/outcome.ts'
import { carried, SOURCES } from '../support/presenting.ts'
import { spiedStore, wrongSecretFor } from '../support/stores.ts'

/** Runs `work`, which must not wait, while a member of a prototype is another. */
function patched<T>(prototype: object, member: string, value: unknown, work: () => T): T {
  const before = Object.getOwnPropertyDescriptor(prototype, member)
  Object.defineProperty(prototype, member, {
    value,
    configurable: true,
    enumerable: before === undefined,
    writable: true,
  })
  try {
    return work()
  } finally {
    if (before === undefined) Reflect.deleteProperty(prototype, member)
    else Object.defineProperty(prototype, member, before)
  }
}

/** What a remembered key is told is told at once. */
function atOnce(verdict: Verdict | PromiseLike<Verdict>): string {
  if ('then' in verdict) throw new Error('it had to wait')
  return codeOf(verdict)
}

const yes = () => true

interface Change {
  readonly name: string
  readonly of: { readonly prototype: object }
  readonly member: string
}

/** What libraries of old add to everything, and what a hostile or broken one replaces. */
const ADDED: readonly Change[] = [
  { name: 'Array.prototype.contains', of: Array, member: 'contains' },
  { name: 'Array.prototype.last', of: Array, member: 'last' },
  { name: 'String.prototype.format', of: String, member: 'format' },
  { name: 'Function.prototype.defer', of: Function, member: 'defer' },
  { name: 'Object.prototype.each', of: Object, member: 'each' },
  { name: 'Map.prototype.getOrElse', of: Map, member: 'getOrElse' },
]

const REPLACED: readonly Change[] = [
  { name: 'String.prototype.startsWith', of: String, member: 'startsWith' },
  { name: 'String.prototype.includes', of: String, member: 'includes' },
  { name: 'Array.prototype.includes', of: Array, member: 'includes' },
  { name: 'Array.prototype.some', of: Array, member: 'some' },
  { name: 'Array.prototype.every', of: Array, member: 'every' },
  { name: 'RegExp.prototype.test', of: RegExp, member: 'test' },
]

describe.each(SOURCES)('P. Prototypes that the host changed ($source)', (source) => {
  async function setting() {
    const keys = createApiKeys({ prefix: 'rob_', pair: source.pair, clock: fakeClock() })
    const created = await keys.create({ owner: 'acct_1', scopes: ['a:read'] })
    const wrong = await wrongSecretFor(created.record.id, 'rob_', source.pair)
    const unknown = await wrongSecretFor('0'.repeat(12), 'rob_', source.pair)
    // The same object twice would be one request with two guards.
    const good = () => carried(source, created)
    const bad = [wrong, unknown].map((texts) => carried(source, texts))
    expect(await judged(keys, good())).toBe('admitted')
    return { keys, good, bad }
  }

  it.each(ADDED)('P-04 $name, added and enumerable, changes no verdict', async ({ of: { prototype }, member }) => {
    const { keys, good, bad } = await setting()
    const scoped = { scopes: ['a:read'] }
    const codes = patched(prototype, member, yes, () => [
      atOnce(keys.verify(good(), scoped)),
      atOnce(keys.verify(good(), { scopes: ['a:write'] })),
      atOnce(keys.verify(good(), { owner: 'acct_2' })),
      ...bad.map((credential) => atOnce(keys.verify(credential))),
    ])
    expect(codes).toEqual(['admitted', 'insufficient_scope', 'owner_mismatch', 'invalid_key', 'invalid_key'])
  })

  it.each(REPLACED)(
    'P-04 $name that always says yes makes nobody’s secret right',
    async ({ of: { prototype }, member }) => {
      const { keys, bad } = await setting()
      const verdicts = patched(prototype, member, yes, () => bad.map((credential) => atOnce(keys.verify(credential))))
      expect(verdicts).not.toContain('admitted')
    },
  )
})

describe('P. Ids that an attacker chose', () => {
  it('P-06 are looked up and forgotten: numbers in text, and any number of them, are remembered nowhere', async () => {
    const spied = spiedStore()
    const keys = createApiKeys({ prefix: 'rob_', store: spied.store, clock: fakeClock() })
    const ids = Array.from({ length: 3000 }, (_, n) => String(n * 2 ** 20).padStart(12, '0'))
    for (let round = 0; round < 2; round++) {
      spied.forget()
      for (const id of ids) {
        const key = sealed(`rob_${id}${'0'.repeat(32)}`)
        if ((await judged(keys, key)) !== 'invalid_key') throw new Error(`${id} was admitted`)
      }
      expect([spied.asked('find'), spied.calls.length]).toEqual([ids.length, ids.length])
    }
  })

  it('P-06 are never longer than an id is: what is longer is refused before anything is looked up', async () => {
    const spied = spiedStore()
    const keys = createApiKeys({ prefix: 'rob_', store: spied.store })
    for (const length of [0, 1, 11, 13, 100, 465, 10_000]) {
      expect(await judged(keys, sealed(`rob_${'1'.repeat(length)}${'0'.repeat(32)}`))).toBe('invalid_key')
    }
    expect(spied.calls).toEqual([])
  })

  it('P-06 P-01 that are members of every object are keys like others', async () => {
    // Twelve characters each, as ids are.
    const ids = ['toLocaleStri', 'hasOwnProper', 'constructor0', 'prototype000']
    const keys = createApiKeys({ prefix: 'rob_', generateId: () => ids[0] ?? '' })
    for (const owner of ['__proto__', 'constructor', 'toString', 'valueOf']) {
      const { key, record } = await keys.create({ owner, name: owner, metadata: { constructor: owner } })
      expect(await judged(keys, key, { owner })).toBe('admitted')
      expect((await keys.list({ owner })).items.map(({ id }) => id)).toEqual([record.id])
      ids.shift()
    }
    expect(Object.hasOwn(Object.prototype, 'owner')).toBe(false)
  })
})

import fc from 'fast-check'
import { createApiKeys, type KeyStore, memoryStore } from 'keyward'
import { describe, expect, it } from 'vitest'
import { codeOf } from '../support/outcome.ts'

const RUNS = 20_000

/** What API.md says of scopes, said once more and as plainly as possible: nothing of it is the library's. */
function refers(grant: string, need: string): boolean {
  if (!isWellFormed(grant)) return false
  if (grant === '*') return true
  const [granted, needed] = [grant.split(':'), need.split(':')]
  if (granted.at(-1) !== '*') return granted.length === needed.length && granted.every((part, i) => part === needed[i])
  const stem = granted.slice(0, -1)
  return needed.length > stem.length && stem.every((part, i) => part === needed[i])
}

function isWellFormed(scope: string): boolean {
  if (scope.length > 128) return false
  const parts = scope.split(':')
  return parts.every((part, i) => {
    if (part === '*') return i === parts.length - 1
    return part !== '' && [...part].every((letter) => '._-'.includes(letter) || /^[A-Za-z0-9]$/.test(letter))
  })
}

/** Few segments, so that grants and needs meet; some are each other's beginnings, some are no segments at all. */
const segment = fc.constantFrom('a', 'b', 'ab', 'A', 'a-b', 'a.b', '__proto__', 'constructor')
const odd = fc.constantFrom('*', '', ' ', 'a ', 'a*', '*a', '**', '?', '.*', 'а', '\u200ba', 'a\u00a0', 'K')
const joined = (part: fc.Arbitrary<string>) =>
  fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(':'))
const need = fc.oneof(
  { weight: 5, arbitrary: joined(segment) },
  { weight: 1, arbitrary: joined(segment).map((scope) => `${scope}:*`) },
  { weight: 1, arbitrary: fc.constant('*') },
)
const grant = fc.oneof(
  { weight: 4, arbitrary: need },
  { weight: 2, arbitrary: joined(fc.oneof(segment, odd)) },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
)

/** One key whose grants are whatever `hold` says, asked through the public door. */
async function keyWithAnyGrants() {
  let scopes: readonly string[] = []
  const inner = memoryStore()
  const store: KeyStore = {
    ...inner,
    find: async (id) => {
      const stored = await inner.find(id)
      return stored && { ...stored, scopes }
    },
  }
  const keys = createApiKeys({ prefix: 'sc_', store, cache: false })
  const { key } = await keys.create({ owner: 'acct_1' })
  return async (grants: readonly string[], demanded: readonly string[] | { readonly any: readonly string[] }) => {
    scopes = grants
    return codeOf(await keys.verify(key, { scopes: demanded }))
  }
}

describe('S. Scopes: against a matcher of its own', () => {
  const grants = fc.array(grant, { maxLength: 4 })
  const needs = fc.array(need, { minLength: 1, maxLength: 3 })
  const wanted = (admits: boolean) => (admits ? 'admitted' : 'insufficient_scope')

  it(`S-23 ${RUNS} times: one need is met exactly when a grant covers it`, async () => {
    const decide = await keyWithAnyGrants()
    const seen = { admitted: 0, insufficient_scope: 0 }
    await fc.assert(
      fc.asyncProperty(grants, need, async (held, needed) => {
        const expected = wanted(held.some((each) => refers(each, needed)))
        seen[expected]++
        expect(await decide(held, [needed])).toBe(expected)
      }),
      { numRuns: RUNS },
    )
    // A property that nearly always sees one answer shows nothing.
    expect(Math.min(seen.admitted, seen.insufficient_scope)).toBeGreaterThan(RUNS / 20)
  }, 60_000)

  it('S-23 a list needs every one of them, { any } one', async () => {
    const decide = await keyWithAnyGrants()
    await fc.assert(
      fc.asyncProperty(grants, needs, async (held, needed) => {
        const met = (scope: string) => held.some((each) => refers(each, scope))
        expect(await decide(held, needed)).toBe(wanted(needed.every(met)))
        expect(await decide(held, { any: needed })).toBe(wanted(needed.some(met)))
      }),
      { numRuns: 5_000 },
    )
  }, 60_000)

  it('S-23 what may be granted is exactly what is well formed', async () => {
    const keys = createApiKeys({ prefix: 'sc_', store: { ...memoryStore(), insert: () => {} } })
    await fc.assert(
      fc.asyncProperty(grant, async (scope) => {
        const taken = await keys.create({ owner: 'acct_1', scopes: [scope] }).then(
          () => true,
          () => false,
        )
        expect(taken).toBe(isWellFormed(scope))
      }),
      { numRuns: 5_000 },
    )
  }, 60_000)
})

import fc from 'fast-check'
import { type ApiKeys, createApiKeys } from 'keyward'
import { describe, expect, it } from 'vitest'
import { codeOf, judged } from '../support/outcome.ts'
import { spiedStore } from '../support/stores.ts'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

const PREFIX = fc.stringMatching(/^[a-z][a-z0-9_-]{0,30}[_-]$/)

/** A kind of keys whose store is watched, and the text that may be mistyped in three roles. */
async function openRoles(prefix: string) {
  const plain = spiedStore()
  const paired = spiedStore()
  const keys = createApiKeys({ prefix, store: plain.store })
  const pairs = createApiKeys({ prefix, store: paired.store, pair: true })
  const { key } = await keys.create({ owner: 'acct_1' })
  const { key: half, secret = '' } = await pairs.create({ owner: 'acct_1' })
  return [
    { role: 'key', right: key, say: (text: string) => judged(keys, text), finds: () => plain.asked('find') },
    {
      role: 'key half',
      right: half,
      say: (text: string) => judged(pairs, { key: text, secret }),
      finds: () => paired.asked('find'),
    },
    {
      role: 'secret half',
      right: secret,
      say: (text: string) => judged(pairs, { key: half, secret: text }),
      finds: () => paired.asked('find'),
    },
  ] as const
}

/** What is no key of ours, or no text at all; a key half without its secret may also be told as incomplete. */
const REFUSED = ['invalid_key', 'incomplete_credentials', 'missing_credentials']

/** Refuses every one of these without asking the store. */
async function expectAllRefused(prefix: string, mistype: (right: string) => Iterable<string>) {
  for (const { role, right, say, finds } of await openRoles(prefix)) {
    const before = finds()
    for (const text of mistype(right)) {
      expect(REFUSED, `${role}: ${text} for ${right}`).toContain(await say(text))
    }
    expect(finds() - before, role).toBe(0)
    expect(await say(right)).toBe('admitted')
  }
}

const positions = (text: string) => Array.from(text, (_, i) => i)
const splice = (text: string, at: number, remove: number, insert = '') =>
  text.slice(0, at) + insert + text.slice(at + remove)

describe('F. A mistyped key is refused without asking the store', () => {
  it('F-02 with one more character, anywhere', async () => {
    await expectAllRefused('agk_live_', (right) =>
      [...positions(right), right.length].flatMap((at) =>
        [...'0aZ_- \0', right[at] ?? 'x'].map((char) => splice(right, at, 0, char)),
      ),
    )
  })

  it('F-02 with one character less, anywhere, or cut off anywhere', async () => {
    await expectAllRefused('agk_live_', (right) =>
      positions(right).flatMap((at) => [splice(right, at, 1), right.slice(0, at), right.slice(at + 1)]),
    )
  })

  it('F-04 with one other character, anywhere, whichever it is', async () => {
    await expectAllRefused('agk_live_', (right) =>
      positions(right).flatMap((at) =>
        Array.from(DIGITS)
          .filter((char) => char !== right[at])
          .map((char) => splice(right, at, 1, char)),
      ),
    )
  })

  it('F-05 with two neighbours exchanged, anywhere', async () => {
    await expectAllRefused('agk_live_', (right) =>
      positions(right)
        .filter((at) => at > 0 && right[at] !== right[at - 1])
        .map((at) => splice(right, at - 1, 2, `${right[at]}${right[at - 1]}`)),
    )
  })

  it('F-06 with any one letter, or all of them, in the other case', async () => {
    const other = (char: string) => (char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase())
    await expectAllRefused('agk_live_', (right) => [
      right.toLowerCase(),
      right.toUpperCase(),
      ...positions(right)
        .filter((at) => other(right[at] ?? '') !== right[at])
        .map((at) => splice(right, at, 1, other(right[at] ?? ''))),
    ])
  })

  it('F-06 with blocks exchanged or doubled', async () => {
    await expectAllRefused('agk_live_', (right) => [
      right + right,
      splice(right, right.length - 6, 0, right.slice(-6)),
      splice(right, right.length - 12, 12, right.slice(-6) + right.slice(-12, -6)),
      Array.from(right).reverse().join(''),
    ])
  })
})

describe('F. A mistyped key, whatever its prefix', () => {
  /** One change of one character, in any of the ways in which people and programs make one. */
  const CHANGE = fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    kind: fc.constantFrom('substitute', 'insert', 'delete', 'exchange'),
    char: fc.oneof(fc.constantFrom(...DIGITS), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
  })

  function change(text: string, { at, kind, char }: { at: number; kind: string; char: string }): string {
    const i = Math.floor(at * text.length)
    if (kind === 'insert') return splice(text, i, 0, char)
    if (kind === 'delete') return splice(text, i, 1)
    if (kind === 'substitute') return splice(text, i, 1, char)
    return splice(text, i, 2, `${text[i + 1] ?? ''}${text[i]}`)
  }

  it('F-02 F-04 F-05 F-06 is refused without asking the store', async () => {
    await fc.assert(
      fc.asyncProperty(PREFIX, fc.array(CHANGE, { minLength: 1, maxLength: 20 }), async (prefix, changes) => {
        await expectAllRefused(prefix, (right) =>
          changes.map((each) => change(right, each)).filter((text) => text !== right),
        )
      }),
      { numRuns: 200 },
    )
  })

  it('arbitrary text is refused without asking the store, and nothing throws', async () => {
    const { store, asked } = spiedStore()
    const keys: ApiKeys = createApiKeys({ prefix: 'a_', store })
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((rest) => `a_${rest}`),
      fc.stringMatching(/^a_[0-9A-Za-z]{50}$/),
    )
    await fc.assert(
      fc.asyncProperty(text, async (given) => {
        expect(REFUSED).toContain(codeOf(await keys.verify(given)))
        expect(REFUSED).toContain(codeOf(await keys.verify({ headers: { 'x-api-key': given.replaceAll(',', '') } })))
      }),
      { numRuns: 2000 },
    )
    expect(asked('find')).toBe(0)
  })
})

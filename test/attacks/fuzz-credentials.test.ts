import fc from 'fast-check'
import { type Credential, createApiKeys } from 'keyward'
import { describe, it } from 'vitest'
import { anything, pieces, REFUSALS, survives } from '../support/fuzz.ts'

const keys = createApiKeys({ prefix: 'fuz_' })
const pairs = createApiKeys({ prefix: 'fuz_', pair: true })
const { key } = await keys.create({ owner: 'acct_1' })
const issued = await pairs.create({ owner: 'acct_1' })

/** A real key with one thing wrong with it. */
const spoilt = (text: string) =>
  fc
    .tuple(
      fc.nat(text.length - 1),
      fc.oneof(fc.string({ unit: 'binary', maxLength: 2 }), fc.constantFrom('', '0', 'Z', '_')),
    )
    .map(([at, other]) => text.slice(0, at) + other + text.slice(at + 1))
    .filter((other) => other.trim() !== text)

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), pieces, spoilt(key))
const name = fc.constantFrom(
  'authorization',
  'Authorization',
  'X-API-Key',
  'x-api-secret',
  'X-Forwarded-For',
  '__proto__',
)
const facts = fc.record(
  {
    rawHeaders: fc.oneof(fc.array(fc.oneof(name, text), { maxLength: 6 }), anything),
    headers: fc.oneof(fc.dictionary(name, fc.oneof(text, fc.array(text, { maxLength: 2 }), anything)), anything),
    peer: fc.oneof(fc.ipV4(), text, anything),
    address: fc.oneof(fc.ipV6(), text, anything),
    request: anything,
  },
  { requiredKeys: [] },
)

describe('P-05 Whatever is brought is refused, with nothing but a verdict', () => {
  it.each([
    ['text', text],
    ['pieces of a key', pieces],
    ['a key with one thing wrong', spoilt(key)],
    ['a key and a secret', fc.record({ key: fc.oneof(text, anything), secret: fc.oneof(text, anything) })],
    ['the facts of a request', facts],
    ['header lines', fc.array(fc.oneof(name, text), { maxLength: 8 }).map((rawHeaders) => ({ rawHeaders }))],
    ['anything at all', anything],
  ] as readonly (readonly [string, fc.Arbitrary<unknown>])[])('%s', async (_what, input) => {
    await survives(input, (given) => keys.verify(given as Credential), REFUSALS)
    await survives(input, (given) => pairs.verify(given as Credential), REFUSALS)
    await survives(input, (given) => keys.explain(given as Credential), [...REFUSALS, 'done', 'NOT_FOUND'], 500)
  })

  it('a pair with one thing wrong', async () => {
    const { secret = '' } = issued
    const wrong = fc.oneof(
      spoilt(issued.key).map((other) => ({ key: other, secret })),
      spoilt(secret).map((other) => ({ key: issued.key, secret: other })),
    )
    await survives(wrong, (given) => pairs.verify(given), REFUSALS)
  })

  it('allows a client address of any text: an allowlist is never passed by what is none', async () => {
    const bound = await keys.create({ owner: 'acct_1', allowedIps: ['0.0.0.0/0', '::/0'] })
    const nonsense = fc
      .oneof(text, anything)
      .filter((given) => typeof given !== 'string' || !/^[0-9a-f.:]+$/i.test(given))
    await survives(nonsense, (address) => keys.verify({ key: bound.key, address: address as string }), [
      'ip_not_allowed',
    ])
  })
})

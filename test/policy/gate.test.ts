import { createApiKeys } from 'keyward'
import { describe, expect, it } from 'vitest'
import { gated } from '../support/gated.ts'
import { failure, refusalIn } from '../support/outcome.ts'
import { deferred, never } from '../support/stores.ts'

const WORDS = [undefined, 'account_suspended', 'insufficient_balance'] as const

const UNTOUCHED = [[5], 5]

const POISONED = {
  // biome-ignore lint/suspicious/noThenProperty: what a host might hand us is what is tested
  get then() {
    throw new Error('gone')
  },
}

describe('Gate: its word', () => {
  for (const word of WORDS) {
    const outcome = word ?? 'admitted'
    it.each([
      ['at once', () => word],
      ['in a promise', () => Promise.resolve(word)],
      [
        'later',
        async () => {
          await new Promise((resolve) => setImmediate(resolve))
          return word
        },
      ],
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
      ['in a thenable of another library', () => ({ then: (resolve: (value: unknown) => void) => void resolve(word) })],
    ])(`${outcome}, given %s`, async (_, gate) => {
      const { ask } = await gated(gate)
      expect(await ask()).toBe(outcome)
      expect(await ask({ reserve: 2 })).toBe(outcome)
    })
  }

  it('a denial consumes nothing, holds nothing, and is told as an event with the key', async () => {
    for (const word of ['account_suspended', 'insufficient_balance'] as const) {
      const { keys, key, id, ask, heard, untouched } = await gated(() => word)
      const refusal = refusalIn(await keys.verify(key))
      expect(refusal).toMatchObject({ code: word, status: word === 'account_suspended' ? 403 : 402, record: { id } })
      expect(refusal.retryAfter).toBeUndefined()
      await ask({ reserve: 5 })
      expect(await untouched()).toEqual(UNTOUCHED)
      expect(heard.of('denied')).toMatchObject(Array(2).fill({ code: word, id, owner: 'acct_1' }))
      await keys.flush()
      expect((await keys.get(id))?.uses).toBe(0)
    }
  })

  const failures: readonly [string, unknown][] = [
    [
      'throws',
      () => {
        throw new Error('redis://user:hunter2@db is gone')
      },
    ],
    [
      'throws what is no error',
      () => {
        throw 'gone'
      },
    ],
    [
      'throws undefined',
      () => {
        throw undefined
      },
    ],
    ['rejects', () => Promise.reject(new Error('redis://user:hunter2@db is gone'))],
    ['rejects with undefined', () => Promise.reject(undefined)],
    [
      'rejects later',
      async () => {
        await new Promise((resolve) => setImmediate(resolve))
        throw new Error('gone')
      },
    ],
    ['is late', never],
    ['has a `then` that throws', () => POISONED],
    ...[
      null,
      true,
      false,
      '',
      'suspended',
      'ok',
      'rate_limited',
      'ACCOUNT_SUSPENDED',
      0,
      1,
      {},
      [],
      { code: 'account_suspended' },
    ].map((word): [string, unknown] => [`says ${JSON.stringify(word)}`, () => word]),
    ...[null, true, 'ok', {}].map((word): [string, unknown] => [
      `says ${JSON.stringify(word)} in a promise`,
      async () => word,
    ]),
  ]

  it.each(failures)('L-24 one that %s is unavailable: never an admission, and nothing is consumed', async (_, gate) => {
    const { keys, key, ask, heard, untouched } = await gated(gate)
    const refusal = refusalIn(await keys.verify(key))
    expect(refusal).toMatchObject({ code: 'unavailable', status: 503, retryAfter: 1 })
    expect(await ask({ reserve: 2 })).toBe('unavailable')
    expect(await untouched()).toEqual(UNTOUCHED)
    expect(new Set(heard.of('fault').map(({ code }) => code))).toEqual(new Set(['gate']))
    const { id, owner } = refusal.record ?? {}
    for (const told of [...heard.of('fault'), ...heard.of('denied')]) expect(told).toMatchObject({ id, owner })
    expect(id).toBeDefined()
    expect(JSON.stringify(heard.events)).not.toContain('hunter2')
  })

  it('an answer that comes after storeTimeout changes nothing any more', async () => {
    const late = deferred<undefined>()
    const { ask, heard, untouched } = await gated(() => late.promise)
    expect(await ask()).toBe('unavailable')
    late.resolve(undefined)
    await new Promise((resolve) => setImmediate(resolve))
    expect(heard.of('admitted')).toEqual([])
    expect(await untouched()).toEqual(UNTOUCHED)
  })

  it('a rejection that comes after storeTimeout ends no process', async () => {
    let reject: (error: Error) => void = () => {}
    const { ask } = await gated(
      () =>
        new Promise((_, fail) => {
          reject = fail
        }),
    )
    expect(await ask()).toBe('unavailable')
    reject(new Error('too late'))
    await new Promise((resolve) => setImmediate(resolve))
  })

  it.each(['open', true, {}, [], null, 5])('gate: %j is CONFIG that names the option', async (gate) => {
    const error = await failure(() => createApiKeys({ prefix: 'pay_', gate } as never))
    expect([error.code, error.issues?.[0]?.path]).toEqual(['CONFIG', 'gate'])
  })
})

import { createApiKeys, type KeyStore, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { expect, it } from 'vitest'
import { refusalIn } from '../support/outcome.ts'

/** A store whose `take` says no more than API.md section 9 has it say. */
function terse(): KeyStore {
  const inner = memoryStore()
  return {
    ...inner,
    async take(...asked) {
      const taken = await inner.take?.(...asked)
      if (taken === undefined || 'stale' in taken) return { stale: undefined }
      return { ok: taken.ok, readings: taken.readings }
    },
  }
}

it('a store that does not say when there would be room has it said by its readings', async () => {
  const keys = createApiKeys({ prefix: 'rt_', store: terse(), clock: fakeClock() })
  const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 2, hour: 100 } })
  for (let n = 0; n < 2; n++) expect(await keys.verify(key)).toMatchObject({ ok: true })
  expect(refusalIn(await keys.verify(key))).toMatchObject({ code: 'rate_limited', retryAfter: 60 })
  expect(refusalIn(await keys.verify(key, { cost: 3 }))).not.toHaveProperty('retryAfter')
})

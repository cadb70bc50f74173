import { createApiKeys } from 'keyward'
import { describe, expect, it } from 'vitest'
import { ask, FRAMEWORKS } from '../support/frameworks.ts'
import { distantStore } from '../support/stores.ts'

/** What frameworks take for a word to go on, where it comes in place of an error. */
const FALSY = [undefined, null, 0, '', 'route', 'router']

function thrower(thrown: unknown) {
  return () => {
    throw thrown
  }
}

describe.each(FRAMEWORKS)('what a function of the host throws that is no error, on $name', (framework) => {
  it.each(FALSY)('lets nobody in: %j', async (thrown) => {
    for (const store of [undefined, distantStore()]) {
      let reached = 0
      const keys = createApiKeys({ prefix: 'thr_', store, trustedProxies: [] })
      const { key } = await keys.create({ owner: 'acct_1' })
      const bound = await framework.open(keys, { resource: thrower(thrown) } as never, () => ++reached)
      expect((await ask(framework, bound, [`X-API-Key: ${key}`])).status).toBe(500)
      expect(reached).toBe(0)
    }
  })

  it.each(FALSY)('lets nobody in who has no key: %j', async (thrown) => {
    let reached = 0
    const keys = createApiKeys({ prefix: 'thr_', trustedProxies: [], answers: thrower(thrown) })
    const bound = await framework.open(keys, {}, () => ++reached)
    expect((await ask(framework, bound, [])).status).not.toBe(200)
    expect(reached).toBe(0)
  })
})

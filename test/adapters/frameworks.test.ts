import { type ApiKeysOptions, createApiKeys, type Demand } from 'keyward'
import { guardChecks } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { ask, FRAMEWORKS, type Framework } from '../support/frameworks.ts'
import { distantStore } from '../support/stores.ts'

const checksOf = (framework: Framework) =>
  guardChecks({
    header: framework.header,
    async serve({ keys, demand, handle }) {
      const bound = await framework.open(keys, demand, async (access) => JSON.parse(await handle(access as never)))
      return {
        send: ({ method, headers }) =>
          ask(
            framework,
            bound,
            headers.map((line) => line.join(': ')),
            { method },
          ),
      }
    },
  })

describe('guardChecks', () => {
  it('are at least 60 scenes, with an id and a name of their own each', () => {
    const checks = checksOf(FRAMEWORKS[0] as Framework)
    expect(checks.length).toBeGreaterThanOrEqual(60)
    for (const part of ['id', 'name'] as const) {
      expect(new Set(checks.map((check) => check[part])).size).toBe(checks.length)
    }
  })
})

for (const framework of FRAMEWORKS) {
  describe(`Every scene on ${framework.name}`, () => {
    for (const { name, run } of checksOf(framework)) it(name, run)
  })

  describe(`Faults of the host on ${framework.name}`, () => {
    /** A demand that fails, with a handler that must not be reached. */
    async function broken(demand: Demand, options: Partial<ApiKeysOptions> = {}) {
      const keys = createApiKeys({ prefix: 'flt_', ...options })
      const { key } = await keys.create({
        owner: 'acct_1',
        limits: { minute: 9 },
        ...(options.store === undefined ? { credits: { remaining: 9 } } : {}),
      })
      const reached: unknown[] = []
      const bound = await framework.open(keys, demand, (access) => reached.push(access))
      const answer = await ask(framework, bound, [`X-API-Key: ${key}`])
      return { answer, reached, key }
    }
    const fail = () => {
      throw new Error("the host's own")
    }

    it.each(['owner', 'resource', 'cost', 'reserve'])(
      'a function for %s that throws takes the error path',
      async (field) => {
        const { answer, reached, key } = await broken({ [field]: fail })
        expect(answer.status).toBe(500)
        expect(reached).toEqual([])
        expect(JSON.stringify(answer)).not.toContain(key)
      },
    )

    it('a function that throws after the store was waited for does so too', async () => {
      const { answer, reached } = await broken({ owner: fail }, { store: distantStore(), storeTimeout: '10s' })
      expect([answer.status, reached]).toEqual([500, []])
    })

    it('an answer that cannot be sent takes the error path, and admits nobody', async () => {
      const { answer, reached } = await broken({
        owner: 'acct_2',
        answers: (_denial, given) => ({ ...given, headers: { ...given.headers, 'X-Note': 'a\r\nSet-Cookie: b=c' } }),
      })
      expect(answer.status).toBe(500)
      expect(answer.headers).not.toHaveProperty('set-cookie')
      expect(reached).toEqual([])
    })
  })
}

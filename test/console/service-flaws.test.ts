import { createApiKeys } from 'keyward'
import { management } from 'keyward/management'
import { describe, expect, it, onTestFinished } from 'vitest'
import { changes, creation, draftOf, flawsOf } from '../../src/console/page/draft.ts'
import type { Problem } from '../../src/console/page/problem.ts'
import { serviceFlaws } from '../../src/console/page/service-flaws.ts'
import { speaking } from '../../src/console/page/texts.ts'
import { en } from '../../src/console/page/texts-en.ts'
import { zh } from '../../src/console/page/texts-zh.ts'
import type { ConsoleSettings } from '../../src/console/settings.ts'

const TURNED = 'a\u202eb'
const LATE = '+010000-01-01T00:00:00Z'

/** What the form may send that only the service finds fault with, and what a reader of Chinese is told of it. */
const REFUSED: readonly (readonly [field: string, value: unknown, told: string])[] = [
  ['name', TURNED, '最多 100 个字符，不能有控制字符或改变文字方向的字符。'],
  ['description', '\u0007', '最多 1000 个字符，不能有控制字符或改变文字方向的字符。'],
  ['resource', TURNED, '最多 256 个字符，不能有控制字符或改变文字方向的字符。'],
  ['scopes', ['contacts:read', 'contacts:raed'], '此处不能使用“contacts:raed”。'],
  ['scopes', Array(201).fill('contacts:read'), '不能使用此内容。'],
  ['limits', { minute: 1001 }, '每分钟：不允许此限制。'],
  ['limits', [{ name: 'burst', limit: 5, window: 10 }], 'burst：不允许此限制。'],
  ['allowedIps', ['203.0.113.7', '10.0.0.1/33'], '此处不能使用“10.0.0.1/33”。'],
  ['expiresAt', '2020-01-01T00:00:00Z', '须为将来的时间，早于公元 10000 年。'],
  ['expiresAt', LATE, '须为将来的时间，早于公元 10000 年。'],
  ['environment', 'staging', '此处不能使用“staging”。'],
]

function openRoutes() {
  const keys = createApiKeys({
    prefix: { live: 'acme_live_', test: 'acme_test_' },
    scopes: { contacts: ['read'] },
    limits: { max: { minute: 1000 } },
  })
  onTestFinished(() => keys.close())
  const routes = management(keys, { authorize: () => ({ owner: 'acct_1' }) })
  const ask = async (method: string, path: string, sent: object): Promise<Problem> => {
    const headers = { 'content-type': 'application/json' }
    const answer = await routes(new Request(`http://localhost${path}`, { method, headers, body: JSON.stringify(sent) }))
    if (answer.ok) throw new Error(`${method} ${JSON.stringify(sent)} was admitted`)
    return (await answer.json()) as Problem
  }
  return { keys, ask }
}

describe('what only the service finds fault with', () => {
  it.each(REFUSED)('is told in Chinese: %s %j', async (field, value, told) => {
    const sent = { name: 'Sync', scopes: ['contacts:read'], environment: 'live', [field]: value }
    const problem = await openRoutes().ask('POST', '/', sent)
    expect(problem.issues.length).toBeGreaterThan(0)
    expect(serviceFlaws(problem, sent, speaking(zh))).toEqual({ [field]: told })
  })

  it('has a case above for every field that the form can send', () => {
    const settings = { environments: ['live', 'test'], limits: { defaults: {}, max: {} } } as unknown as ConsoleSettings
    const empty = draftOf(undefined, settings)
    const draft: typeof empty = {
      ...empty,
      name: 'Sync',
      description: 'Old',
      resource: 'agent:42',
      scopeText: 'contacts:read',
      limits: { minute: '5' },
      addresses: '10.0.0.0/8',
      expiry: 'days',
    }
    const record = { id: 'x', scopes: [], limits: {} } as unknown as Parameters<typeof changes>[1]
    const sent = { ...creation(draft, settings, 0), ...changes(draft, record, settings, 0) }
    expect(new Set(REFUSED.map(([field]) => field))).toEqual(new Set(Object.keys(sent)))
  })

  it('has words also for a field that nobody may set, and for one that the page does not know', () => {
    const issues = ['metadata', 'metadata.deep', ''].map((path) => ({ path, message: 'must be something else' }))
    const problem: Problem = { status: 400, code: 'invalid_request', detail: '', issues }
    expect(serviceFlaws(problem, {}, speaking(zh))).toEqual({
      metadata: '不能使用此内容。',
      '': '不能使用此内容。',
    })
  })
})

describe('a window of the host’s own', () => {
  const settings = {
    environments: [],
    names: 'free',
    limits: { defaults: {}, max: { minute: 1000 } },
  } as unknown as ConsoleSettings

  it.each(['constructor', 'toString', 'valueOf'])(
    'may be called %s: nothing is inherited by its name',
    async (name) => {
      const { keys } = openRoutes()
      const limits = [{ name, limit: 5, window: 10_000 }]
      const input = { owner: 'acct_1', scopes: ['contacts:read'], environment: 'live', limits } as const
      const { record } = await keys.create(input as unknown as Parameters<typeof keys.create>[0])
      const draft = { ...draftOf(record, settings), limits: { [name]: '' } }
      expect(flawsOf(draft, settings, speaking(en), { record, now: 0 })).toEqual({})
    },
  )
})

describe('a limit that is emptied', () => {
  const settings = {
    environments: ['live', 'test'],
    names: 'free',
    scopes: [{ resource: 'contacts', actions: ['read'] }],
    limits: { defaults: {}, max: { minute: 1000 } },
  } as unknown as ConsoleSettings

  it.each([
    ['English', en, 'Minute: at most 1000.'],
    ['Chinese', zh, '每分钟：最多 1000。'],
  ])(
    'is told in %s not to be liftable, where the service would refuse that, and there alone',
    async (_, texts, told) => {
      const { keys, ask } = openRoutes()
      const limits = { minute: 60, day: 500 }
      const input = { owner: 'acct_1', scopes: ['contacts:read'], environment: 'live' } as const
      const { record } = await keys.create({ ...input, limits })
      const flaws = (empty: string, isNew = false) => {
        const draft = draftOf(record, settings)
        return flawsOf({ ...draft, limits: { ...draft.limits, [empty]: ' ' } }, settings, speaking(texts), {
          record: isNew ? undefined : record,
          now: 0,
        })
      }
      expect(flaws('minute')).toEqual({ limits: told })
      expect((await ask('PATCH', `/${record.id}`, { limits: { minute: null } })).issues).toMatchObject([
        { path: 'limits.minute' },
      ])
      expect(flaws('day')).toEqual({})
      expect((await keys.update(record.id, { limits: { day: null } })).limits).toEqual({ minute: 60 })
      // A new key without one has the default, or that maximum.
      expect(flaws('minute', true)).toEqual({})
      expect((await keys.create(input)).record.limits).toEqual({
        minute: 1000,
      })
    },
  )
})

import { inspect } from 'node:util'
import { createApiKeys } from 'keyward'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { failure } from '../../support/outcome.ts'
import { never, sabotagedStore } from '../../support/stores.ts'
import { clientOf, type Told } from './client.ts'

const DSN = 'redis://keyward:hunter2@10.0.0.7'

function start() {
  const onError = vi.fn()
  const { store, break: sabotage } = sabotagedStore()
  const keys = createApiKeys({ prefix: 'mf_', store, storeTimeout: 20, cache: false })
  return { keys, onError, sabotage, ask: clientOf(keys, { onError }) }
}

function expectNothingTold({ text, headers }: Told) {
  expect(text + JSON.stringify([...headers])).not.toMatch(
    /redis|hunter2|10\.0\.0\.7|sqlite|at \w+ \(|\.ts:|find|insert/,
  )
}

describe('a management route whose address is a promise', () => {
  it('tells nothing of it, and hears the promise out', async () => {
    const onError = vi.fn()
    const address = (): string => Promise.reject(new Error(DSN)) as never
    const told = await clientOf(createApiKeys({ prefix: 'mf_' }), { onError, address })('GET', '/')
    expectNothingTold(told)
    expect([told.status, onError.mock.calls[0]?.[0].code]).toEqual([500, 'CONFIG'])
  })
})

describe('a management route whose store fails', () => {
  it.each([
    ['find', 'GET', '/000000000000'],
    ['find', 'DELETE', '/000000000000'],
    ['list', 'GET', '/'],
    ['insert', 'POST', '/'],
  ] as const)('G-05: tells nothing of it (%s, %s %s)', async (verb, method, path) => {
    const { ask, onError, sabotage } = start()
    sabotage(verb, () => {
      throw new Error(`connect ECONNREFUSED ${DSN}`)
    })
    const told = await ask(method, path, method === 'POST' ? { json: {} } : {})
    expect([told.status, told.body.code, told.headers.get('retry-after')]).toEqual([503, 'unavailable', '1'])
    expectNothingTold(told)
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: 'STORE' }), expect.any(Request))
  })

  it('does not end the process where onError is late to fail', async () => {
    const { keys, sabotage } = start()
    const unheard = vi.fn()
    process.on('unhandledRejection', unheard)
    onTestFinished(() => void process.off('unhandledRejection', unheard))
    const told: unknown[] = []
    // No mock, which would hear the promise out itself.
    const ask = clientOf(keys, {
      onError: async (error) => {
        told.push(error)
        throw new Error('the logger is down')
      },
    })
    sabotage('list', () => {
      throw new Error('down')
    })
    expect((await ask('GET', '/')).status).toBe(503)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect([told.length, unheard.mock.calls]).toEqual([1, []])
  })

  it('says that a change may have happened, which the same Idempotency-Key then finds', async () => {
    const { ask, sabotage } = start()
    sabotage('insert', async (insert) => {
      await insert()
      return never()
    })
    const sent = { json: { name: 'x' }, headers: { 'idempotency-key': 'once' } }
    const lost = await ask('POST', '/', sent)
    expect([lost.status, lost.body.outcome]).toEqual([503, 'unknown'])
    sabotage('insert', undefined)
    const found = await ask('POST', '/', sent)
    expect([found.status, found.body.record.name]).toEqual([200, 'x'])
  })

  it.each([
    [
      'an AggregateError',
      (cause: Error) => new AggregateError([cause, new Error(`timeout ${DSN}`)], `all failed at ${DSN}`),
    ],
    ['an error with a cause', (cause: Error) => new Error(`lost ${DSN}`, { cause })],
    [
      'an error that writes itself',
      (cause: Error) => Object.assign(cause, { toJSON: () => ({ dsn: DSN, cause }), dsn: DSN }),
    ],
  ])('G-02: keeps %s of a store to itself: message, stack, causes, members and JSON', async (_, errorOf) => {
    const { ask, keys, onError, sabotage } = start()
    const { key, record } = await keys.create({ owner: 'acct_1' })
    const secret = key.slice(-38)
    for (const verb of ['find', 'insert', 'replace', 'list', 'remove'] as const) {
      sabotage(verb, () => {
        throw errorOf(new Error(`${secret} at ${DSN}`))
      })
    }
    const thrown = await Promise.all([
      failure(() => keys.create({ owner: 'acct_1' })),
      failure(() => keys.revoke(record.id)),
      failure(() => keys.get(record.id)),
      failure(() => keys.list({ owner: 'acct_1' })),
    ])
    expectNothingTold(await ask('POST', '/', { json: {} }))
    const told = [...thrown, ...onError.mock.calls.map(([error]) => error)]
    expect(told).toHaveLength(5)
    for (const error of told) {
      const all = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error) + error.stack
      expect(all).toContain('STORE')
      expect(all).not.toMatch(/hunter2/)
      expect(all).not.toContain(secret.slice(0, 32))
    }
  })

  it('G-02: tells nothing of a fault in the host’s own parts', async () => {
    const onError = vi.fn()
    const generateId = () => {
      throw new Error(`no ids from ${DSN}`)
    }
    const told = await clientOf(createApiKeys({ prefix: 'mf_', generateId }), { onError })('POST', '/', { json: {} })
    expect([told.status, told.body.code]).toEqual([500, 'internal_error'])
    expectNothingTold(told)
    expect(onError).toHaveBeenCalledTimes(1)
  })
})

describe('a refusal of a management route', () => {
  it('is a problem document in the shape of Keyward’s other refusals', async () => {
    const { ask } = start()
    const told = await ask('POST', '/', { json: { name: '', isAdmin: true } })
    expect(told.headers.get('content-type')).toBe('application/problem+json')
    const detail = 'name must be text of 1 to 100 characters, not ""; isAdmin is not a field that can be given here'
    expect(told.body).toEqual({
      type: 'urn:keyward:problem:invalid_request',
      title: 'Invalid request',
      status: 400,
      detail,
      code: 'invalid_request',
      message: detail,
      request_id: told.headers.get('x-request-id'),
      issues: [
        { path: 'name', message: 'must be text of 1 to 100 characters, not ""' },
        { path: 'isAdmin', message: 'is not a field that can be given here' },
      ],
      error: {
        type: 'invalid_request_error',
        message: detail,
        code: 'invalid_request',
        param: 'name',
        details: { error_code: 'invalid_request' },
      },
    })
    expect(told.body.request_id).toMatch(/^req_[0-9a-f]{32}$/)
  })

  it('G-01: shows no key that somebody put where none belongs', async () => {
    const { ask, keys } = start()
    const { key } = await keys.create({ owner: 'acct_1' })
    const secret = key.slice('mf_'.length + 12, -6)
    const answers = [
      await ask('POST', '/', { json: { name: 7, [key]: 1, scopes: [key, `${key} x`], allowedIps: [key] } }),
      await ask('POST', '/', { json: { expiresAt: key, limits: { minute: key }, metadata: key } }),
      await ask('GET', `/?status=${key}&cursor=${key}`),
      await ask('GET', `/${key}`),
      await ask('POST', `/${key.slice(0, 12)}/rotate`, { json: { overlap: key } }),
      await ask('POST', '/', { json: {}, headers: { 'idempotency-key': `${key} ${key}` } }),
    ]
    for (const { status, text, headers } of answers) {
      expect(status).toBeGreaterThanOrEqual(400)
      expect(text + JSON.stringify([...headers])).not.toContain(secret)
    }
  })
})

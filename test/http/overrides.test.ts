import type { ErrorRequestHandler } from 'express'
import { type Answer, type AnswerOverrides, createApiKeys, type Demand, type DenialCode } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { failure } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { CODES, REFUSALS } from '../support/refusals.ts'
import { serve } from '../support/serve.ts'
import { distantStore } from '../support/stores.ts'

for (const { name, express } of EXPRESSES) {
  /** What is answered to a refusal with these overrides on the instance and on the demand. */
  async function overridden(code: DenialCode, onInstance?: AnswerOverrides, onDemand?: AnswerOverrides) {
    const { keys, demand, lines } = await REFUSALS[code](onInstance === undefined ? {} : { answers: onInstance })
    const laidOver: Demand = onDemand === undefined ? demand : { ...demand, answers: onDemand }
    let reached = 0
    const app = express()
    app.get('/', guard(keys, laidOver), (_req, res) => {
      reached++
      res.end()
    })
    const { port } = await serve(app)
    const { status, headers, body } = await raw(port, request(lines))
    return { status, headers, body, reached }
  }
  const toldIn = ({ body }: { body: string }) => JSON.parse(body) as Record<string, unknown>

  describe(`Overrides of answers, ${name}`, () => {
    it.each(CODES)('%s takes another status, title and detail, in the status line and in the body', async (code) => {
      const plain = await overridden(code)
      const other = await overridden(code, { [code]: { status: 418, title: 'A title', detail: 'A detail.' } })
      expect(other.status).toBe(418)
      expect(toldIn(other)).toMatchObject({ status: 418, title: 'A title', detail: 'A detail.', code })
      expect(toldIn(other).error).toMatchObject({ message: 'A detail.', code })
      expect(other.headers['x-should-retry']).toBe(plain.headers['x-should-retry'])
      expect(other.reached).toBe(0)
    })

    it('changes nothing of the other codes', async () => {
      const answers: AnswerOverrides = { invalid_key: { status: 404 } }
      expect((await overridden('invalid_key', answers)).status).toBe(404)
      expect((await overridden('missing_credentials', answers)).status).toBe(401)
      expect((await overridden('insufficient_scope', answers)).status).toBe(403)
    })

    it('may say 403 where a service has no 402, and permission denied in small letters', async () => {
      const answers = { insufficient_balance: { status: 403 }, insufficient_scope: { title: 'permission denied' } }
      const balance = await overridden('insufficient_balance', answers)
      expect([balance.status, toldIn(balance).code]).toEqual([403, 'insufficient_balance'])
      const scope = await overridden('insufficient_scope', answers)
      expect([scope.status, toldIn(scope).title]).toEqual([403, 'permission denied'])
    })

    it('names the scheme on whatever becomes a 401', async () => {
      const { status, headers } = await overridden('ip_not_allowed', { ip_not_allowed: { status: 401 } })
      expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer realm="api"'])
    })

    it("lays a demand's over the instance's, code by code and field by field", async () => {
      const onInstance: AnswerOverrides = {
        invalid_key: { status: 403, title: 'of the instance' },
        missing_credentials: { title: 'of the instance' },
      }
      const onDemand: AnswerOverrides = { invalid_key: { title: 'of the demand' } }
      const invalid = await overridden('invalid_key', onInstance, onDemand)
      expect([invalid.status, toldIn(invalid).title]).toEqual([403, 'of the demand'])
      expect(toldIn(await overridden('missing_credentials', onInstance, onDemand)).title).toBe('of the instance')
    })

    it('leaves the routes beside that demand as they are', async () => {
      const keys = createApiKeys({ prefix: 'ovr_' })
      const app = express()
      app.get('/a', guard(keys, { answers: { missing_credentials: { status: 404 } } }))
      app.get('/b', guard(keys))
      const { port } = await serve(app)
      const statuses = await Promise.all(
        ['/a', '/b'].map(async (target) => (await raw(port, request([], { target }))).status),
      )
      expect(statuses).toEqual([404, 401])
    })

    it('may be a function, which is given the refusal and the answer as it would be', async () => {
      const seen: unknown[] = []
      const answers: AnswerOverrides = (denial, answer) => {
        seen.push([denial.ok, denial.code, denial.status, denial.needed, answer.status, typeof answer.body])
        const headers = { ...answer.headers, 'Content-Type': 'text/plain; charset=utf-8', 'X-Own': 'yes' }
        return { status: 499, headers, body: `verboten: ${denial.code} ü` }
      }
      const { status, headers, body } = await overridden('insufficient_scope', answers)
      expect([status, body]).toEqual([499, 'verboten: insufficient_scope ü'])
      expect(headers).toMatchObject({
        'content-type': 'text/plain; charset=utf-8',
        'x-own': 'yes',
        'cache-control': 'no-store',
      })
      expect(headers['content-length']).toBe(String(Buffer.byteLength(body)))
      const needed = ['contacts:read', 'contacts:update']
      expect(seen).toEqual([[false, 'insufficient_scope', 403, needed, 403, 'string']])
    })

    it('asks the function of the instance first, and that of the demand with what it made', async () => {
      const adds =
        (word: string): AnswerOverrides =>
        (_denial, answer) => ({ ...answer, body: `${answer.body}${word}` })
      const { body } = await overridden(
        'missing_credentials',
        (_denial, answer) => ({ ...answer, body: 'one' }),
        adds(' two'),
      )
      expect(body).toBe('one two')
    })

    it("lays a demand's changes over what the instance's function made, and the other way round", async () => {
      const ofFunction: AnswerOverrides = (_denial, answer) => {
        const document = { ...JSON.parse(answer.body), status: 404, title: 'of the function', own: 1 }
        return { ...answer, status: 404, body: JSON.stringify(document) }
      }
      const ofObject: AnswerOverrides = { insufficient_scope: { status: 410, detail: 'Of the object.' } }
      const over = await overridden('insufficient_scope', ofFunction, ofObject)
      expect(over.status).toBe(410)
      expect(toldIn(over)).toMatchObject({
        ...{ status: 410, title: 'of the function', own: 1, detail: 'Of the object.', message: 'Of the object.' },
        error: { type: 'permission_error', message: 'Of the object.', code: 'insufficient_scope' },
      })
      const under = await overridden('insufficient_scope', ofObject, ofFunction)
      expect(under.status).toBe(404)
      expect(toldIn(under)).toMatchObject({ status: 404, title: 'of the function', detail: 'Of the object.' })
    })

    it.each(['forbidden', '["forbidden"]', 'null', '7'])(
      "changes the status alone of a function's body that is no problem document: %s",
      async (body) => {
        const ofFunction: AnswerOverrides = (_denial, answer) => ({ ...answer, body })
        const change = { status: 418, title: 'A title', detail: 'A detail.' }
        const answer = await overridden('ip_not_allowed', ofFunction, { ip_not_allowed: change })
        expect([answer.status, answer.body]).toEqual([418, body])
      },
    )

    it('gives a 401 its challenge whoever made it one, and takes it off what is none any more', async () => {
      const bare: AnswerOverrides = (_denial, answer) => ({ ...answer, status: 403, headers: {} })
      const turned = await overridden('ip_not_allowed', bare, { ip_not_allowed: { status: 401 } })
      expect([turned.status, turned.headers['www-authenticate']]).toEqual([401, 'Bearer realm="api"'])
      const own: AnswerOverrides = (_denial, answer) => ({ ...answer, headers: { 'www-authenticate': 'Own' } })
      const kept = await overridden('missing_credentials', own, { missing_credentials: { status: 401 } })
      expect(kept.headers['www-authenticate']).toBe('Own')
      const other = await overridden('missing_credentials', { missing_credentials: { status: 404 } })
      expect([other.status, other.headers['www-authenticate']]).toEqual([404, undefined])
    })

    it.each([
      ['a status of an admission', (answer: Answer) => ({ ...answer, status: 200 })],
      ['204', (answer: Answer) => ({ ...answer, status: 204 })],
      ['a redirection', (answer: Answer) => ({ ...answer, status: 302, headers: { Location: '/' } })],
      ['an informational status', (answer: Answer) => ({ ...answer, status: 101 })],
      ['a status that is none', (answer: Answer) => ({ ...answer, status: '403' })],
      ['a status beyond all', (answer: Answer) => ({ ...answer, status: 600 })],
      ['NaN', (answer: Answer) => ({ ...answer, status: Number.NaN })],
      ['no body', (answer: Answer) => ({ ...answer, body: undefined })],
      ['a body that is no text', (answer: Answer) => ({ ...answer, body: { ok: true } })],
      ['no header fields', (answer: Answer) => ({ ...answer, headers: null })],
      ['header fields that are none', (answer: Answer) => ({ ...answer, headers: 'X-Own: yes' })],
      ['nothing', () => undefined],
      ['null', () => null],
      ['a promise', async (answer: Answer) => answer],
      ['a rejection', async () => Promise.reject(new Error('the host made a mistake'))],
    ] as const)('a function that gives %s ends on the error path, and admits nobody', async (_name, change) => {
      for (const store of [undefined, distantStore()]) {
        const answers = ((_denial: unknown, answer: Answer) => change(answer)) as unknown as AnswerOverrides
        const keys = createApiKeys({ prefix: 'ovr_', answers, storeTimeout: '10s', ...(store && { store }) })
        const { key, record } = await keys.create({ owner: 'acct_1' })
        await keys.disable(record.id)
        let reached = 0
        const errors: unknown[] = []
        const app = express()
        app.get('/', guard(keys), (_req, res) => {
          reached++
          res.end()
        })
        const report: ErrorRequestHandler = (error, _req, res, _next) => {
          errors.push(error)
          res.status(500).end('the error path')
        }
        app.use(report)
        const { port } = await serve(app)
        expect((await raw(port, request([`X-API-Key: ${key}`]))).body).toBe('the error path')
        expect(errors).toMatchObject([{ code: 'CONFIG' }])
        expect(reached).toBe(0)
      }
    })

    it.each(['X-Own: a\r\nX-Injected: b', 'X-Own: \u0000', 'X-Own: ü€'])(
      'cannot smuggle a line into the header: %j',
      async (line) => {
        const [field = '', value = ''] = line.split(': ', 2)
        const answers: AnswerOverrides = (_denial, answer) => ({ ...answer, headers: { [field]: value } })
        const { status, headers, reached } = await overridden('missing_credentials', answers)
        expect(status).toBeGreaterThanOrEqual(400)
        expect([headers['x-injected'], headers['x-own'], reached]).toEqual([undefined, undefined, 0])
      },
    )
  })
}

describe('Overrides that are wrong are CONFIG, on the instance and on a demand', () => {
  const WRONG: readonly (readonly [unknown, string | undefined])[] = [
    [{ invalid_kee: { status: 403 } }, 'answers.invalid_kee'],
    [{ constructor: { status: 403 } }, 'answers.constructor'],
    [{ invalid_key: { status: 200 } }, 'answers.invalid_key.status'],
    [{ invalid_key: { status: 399 } }, 'answers.invalid_key.status'],
    [{ invalid_key: { status: 600 } }, 'answers.invalid_key.status'],
    [{ invalid_key: { status: '403' } }, 'answers.invalid_key.status'],
    [{ invalid_key: { status: 403.5 } }, 'answers.invalid_key.status'],
    [{ invalid_key: { title: '' } }, 'answers.invalid_key.title'],
    [{ invalid_key: { title: 7 } }, 'answers.invalid_key.title'],
    [{ invalid_key: { detail: null } }, 'answers.invalid_key.detail'],
    [{ invalid_key: { body: 'x' } }, 'answers.invalid_key.body'],
    [{ invalid_key: 403 }, 'answers.invalid_key'],
    [{ invalid_key: null }, 'answers.invalid_key'],
    [[], undefined],
    ['invalid_key', undefined],
    [null, undefined],
    [403, undefined],
  ]

  it.each(WRONG)('%j', async (answers, path) => {
    const given = answers as AnswerOverrides
    const keys = createApiKeys({ prefix: 'ovr_' })
    for (const error of [
      await failure(() => createApiKeys({ prefix: 'ovr_', answers: given })),
      await failure(() => guard(keys, { answers: given })),
    ]) {
      expect(error.code).toBe('CONFIG')
      if (path !== undefined) expect(error.issues?.map((issue) => issue.path)).toEqual([path])
    }
  })

  it('name every one that is wrong, with its value', async () => {
    const answers = { invalid_key: { status: 200 }, revoked: { titel: 'x' } } as AnswerOverrides
    const error = await failure(() => createApiKeys({ prefix: 'ovr_', answers }))
    expect(error.issues?.map(({ path }) => path)).toEqual(['answers.invalid_key.status', 'answers.revoked.titel'])
    expect(error.message).toContain('200')
  })
})

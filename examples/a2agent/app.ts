import express, { type ErrorRequestHandler, type Request, type Response } from 'express'
import { type ApiKeysOptions, createApiKeys } from 'keyward'
import { guard } from 'keyward/express'
import { createSessions } from '../sessions.ts'
import { anthropic, openai, questionOf, type Reply } from '../upstream.ts'

/** A2Agent: a gateway to many models with a prepaid balance. One credit is one token. */
export function createService(place: Pick<ApiKeysOptions, 'store' | 'storeTimeout'>) {
  const sessions = createSessions<{ readonly account: string }>()
  const suspended = new Set<string>()
  const json = express.json({ limit: '1mb' })

  // #region keys
  const keys = createApiKeys({
    ...place,
    prefix: 'a2_',
    credits: 'owner', // one balance for all keys of an account
    gate: ({ owner }) => (suspended.has(owner) ? 'account_suspended' : undefined),
    answers: { insufficient_balance: { status: 403 } },
    cache: false, // a deleted key is refused at its next request, in every process
    trustedProxies: [],
  })
  const known = guard(keys, { reserve: 0 }) // before the body: nobody's is read without a key
  const paid = guard(keys, {
    reserve: ({ body }) => questionOf(body).promptTokens + questionOf(body).maxTokens,
  })

  const apiKeys = express.Router().use(sessions.required, json)
  apiKeys.get('/', async (req, res) => {
    const { cursor } = req.query
    const page = await keys.list({ owner: sessions.user(req).account, ...(cursor ? { cursor: String(cursor) } : {}) })
    res.json({
      ...page,
      items: page.items.map(({ id, name, display, createdAt }) => ({ id, name, display, createdAt })),
    })
  })
  apiKeys.post('/', async (req, res) => {
    const { key, record } = await keys.create({ owner: sessions.user(req).account, name: req.body?.name })
    res.status(201).json({ id: record.id, name: record.name, key, createdAt: record.createdAt })
  })
  apiKeys.delete('/:id', async (req, res) => {
    await keys.remove(req.params.id, { owner: sessions.user(req).account })
    res.status(204).end()
  })
  const KEY_ERRORS: Readonly<Record<string, number>> = { INPUT: 400, NOT_FOUND: 404, CONFLICT: 409 }
  // #endregion

  /** Passes the answer on as it comes, and charges what was used of it, also when the client hangs up. */
  async function relay(req: Request, res: Response, { type, pieces, used }: Reply): Promise<void> {
    res.type(type)
    try {
      for await (const piece of pieces) {
        if (res.destroyed) break
        res.write(piece)
      }
    } finally {
      await req.apiKey.settle(used())
    }
    res.end()
  }

  /** What is wrong with a request is told in the shape that both SDKs read; what is wrong with us is not told. */
  const sendError: ErrorRequestHandler = (error, _req, res, next) => {
    const status: number = KEY_ERRORS[error.code] ?? (error.status >= 400 && error.status < 500 ? error.status : 500)
    if (status === 500) console.error(error)
    if (res.headersSent) return next(error)
    const message = status === 500 ? 'Something went wrong.' : error.message
    const type = status === 500 ? 'api_error' : 'invalid_request_error'
    res.status(status).json({ type: 'error', error: { type, message } })
  }

  const app = express()
    .post('/v1/chat/completions', known, json, paid, (req, res) => relay(req, res, openai(questionOf(req.body))))
    .post('/v1/messages', known, json, paid, (req, res) => relay(req, res, anthropic(questionOf(req.body))))
    .use('/api-keys', apiKeys)
    .get('/balance', sessions.required, async (req, res) => {
      res.json({ balance: await keys.balance({ owner: sessions.user(req).account }) })
    })
    .use(sendError)

  return {
    app,
    keys,
    signIn: (account: string) => sessions.signIn({ account }),
    topUp: (account: string, credits: number) => keys.credit({ owner: account }, credits),
    suspend: (account: string) => void suspended.add(account),
    reinstate: (account: string) => void suspended.delete(account),
    close: () => keys.close(),

    /** An account with a balance and a key, for `npm run example a2agent`. */
    async introduce(url: string): Promise<string> {
      const cookie = sessions.signIn({ account: 'acct_1' })
      await keys.credit({ owner: 'acct_1' }, 1000)
      const { key, record } = await keys.create({ owner: 'acct_1', name: 'First key' })
      return `export URL=${url} KEY=${key} ID=${record.id} COOKIE=${cookie}`
    },
  }
}

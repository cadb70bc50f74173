import express, { type ErrorRequestHandler, type Request, type Response } from 'express'
import { createApiKeys } from 'keyward'
import { consolePage } from 'keyward/console'
import { guard, mount } from 'keyward/express'
import type { Place } from '../place.ts'
import { createSessions } from '../sessions.ts'
import { anthropic, openai, questionOf, type Reply } from '../upstream.ts'

/** A2Agent: a gateway to many models with a prepaid balance. One credit is one token. @param url where clients find it */
export function createService(place: Place, url: string) {
  const sessions = createSessions<{ readonly account: string }>()
  const suspended = new Set<string>()
  const json = express.json({ limit: '1mb' })

  // #region keys
  const keys = createApiKeys({
    cache: false, // a deleted key is refused at its next request, in every process
    ...place,
    prefix: 'a2_',
    credits: 'owner', // one balance for all keys of an account
    gate: ({ owner }) => (suspended.has(owner) ? 'account_suspended' : undefined),
    answers: { insufficient_balance: { status: 403 } },
    trustedProxies: [],
  })
  const known = guard(keys, { reserve: 0 }) // before the body: nobody's is read without a key
  const paid = guard(keys, {
    reserve: ({ body }) => ({ upTo: questionOf(body).promptTokens + questionOf(body).maxTokens }),
  })

  const VERBS = ['list', 'create', 'remove'] // A2Agent has no others: who wants another key makes one
  const page = consolePage(keys, {
    authorize({ headers }) {
      const user = sessions.of(headers.get('cookie'))
      return user && { owner: user.account, may: (verb) => VERBS.includes(verb) }
    },
    baseUrl: url,
    model: 'echo',
    title: 'API Keys',
    texts: { en: { createKey: 'Create Key', copyConnection: 'Copy Connection Info' } },
    fields: ['name'],
    rememberKeys: true, // the connection info of a row has the key while the page knows it
    browserKey: false,
    self: false,
  })
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
    const status: number = error.status >= 400 && error.status < 500 ? error.status : 500
    if (status === 500) console.error(error)
    if (res.headersSent) return next(error)
    const message = status === 500 ? 'Something went wrong.' : error.message
    const type = status === 500 ? 'api_error' : 'invalid_request_error'
    res.status(status).json({ type: 'error', error: { type, message } })
  }

  const app = express()
    .post('/v1/chat/completions', known, json, paid, (req, res) => relay(req, res, openai(questionOf(req.body))))
    .post('/v1/messages', known, json, paid, (req, res) => relay(req, res, anthropic(questionOf(req.body))))
    .use('/api-keys', mount(page))
    .get('/sign-in/:session', sessions.enter)
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
    async introduce(): Promise<string> {
      const cookie = sessions.signIn({ account: 'acct_1' })
      await keys.credit({ owner: 'acct_1' }, 1000)
      const { key, record } = await keys.create({ owner: 'acct_1', name: 'First key' })
      const link = url + sessions.linkTo('/api-keys', cookie)
      return `export URL=${url} KEY=${key} ID=${record.id} COOKIE=${cookie}\n\nThe page, in a browser: ${link}`
    },
  }
}

import { pipeline, Readable } from 'node:stream'
import express, { type ErrorRequestHandler, type Express, type Response } from 'express'
import { type ApiKeysOptions, createApiKeys } from 'keyward'
import { guard } from 'keyward/express'
import { chatCompletion, message, modelList, questionOf, type Reply } from './models.ts'

/** The keys of this API. From here on scopes are typed: `'models:rum'` does not compile. */
export function createKeys(options: Pick<ApiKeysOptions, 'store' | 'onEvent'>) {
  return createApiKeys({
    prefix: 'qs_',
    scopes: { models: ['list', 'run'] },
    limits: { default: { minute: 60 } },
    trustedProxies: [], // no proxy stands before this server
    ...options,
  })
}

/** An API shaped like OpenAI's and like Anthropic's. The guard stands before the body: nobody's is read without a key. */
export function createApp(keys: ReturnType<typeof createKeys>): Express {
  const list = guard(keys, { scopes: ['models:list'] })
  const run = guard(keys, { scopes: ['models:run'] })
  const json = express.json({ limit: '1mb' })

  return express()
    .get('/v1/models', list, (_req, res) => void res.json(modelList()))
    .post('/v1/chat/completions', run, json, (req, res) =>
      send(res, chatCompletion(questionOf(req.body), req.apiKey.owner)),
    )
    .post('/v1/messages', run, json, (req, res) => send(res, message(questionOf(req.body), req.apiKey.owner)))
    .post('/v1/messages/count_tokens', run, json, (req, res) =>
      send(res, { input_tokens: questionOf(req.body).tokens }),
    )
    .use(sendError)
}

function send(res: Response, reply: Reply): void {
  if (!(Symbol.asyncIterator in reply)) return void res.json(reply)
  // An answer that breaks off in the middle, or whose client has hung up, ends here, and the model with it.
  pipeline(Readable.from(reply), res.type('text/event-stream'), (error) => {
    if (error && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') console.error(error)
  })
}

/** What is wrong with a body is told in the shape that both SDKs read; what is wrong with us is not told. */
const sendError: ErrorRequestHandler = (error, _req, res, _next) => {
  const isTheirs = error.status >= 400 && error.status < 500
  if (!isTheirs) console.error(error)
  const type = isTheirs ? 'invalid_request_error' : 'api_error'
  const message = isTheirs ? error.message : 'Something went wrong.'
  res.status(isTheirs ? error.status : 500).json({ type: 'error', error: { type, message } })
}

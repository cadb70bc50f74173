import type { AddressInfo } from 'node:net'
import express from 'express'
import Fastify from 'fastify'
import { type ApiKeys, type ApiKeysOptions, createApiKeys } from 'keyward'
import { type ConsoleOptions, consolePage } from 'keyward/console'
import { guard, mount } from 'keyward/express'
import { guard as fastifyGuard, mount as fastifyMount } from 'keyward/fastify'
import { onTestFinished } from 'vitest'
import { anthropic, openai, questionOf } from '../../examples/upstream.ts'
import { serve } from '../support/serve.ts'

export const VOCABULARY = {
  models: ['list', 'use'],
  contacts: ['create', 'read', 'update', 'delete'],
  'document-extraction': ['create', 'read'],
} as const

/** A product with a page for keys at `/settings/keys`, and models that need one. */
export interface Site {
  readonly url: string
  readonly page: string
  readonly keys: ApiKeys
}

export type Framework = 'Express' | 'Fastify'

type Options = Partial<ApiKeysOptions> & { readonly console?: Partial<ConsoleOptions> }

export async function openSite(framework: Framework = 'Express', options: Options = {}): Promise<Site> {
  const { console: more, ...own } = options
  const keys = createApiKeys({
    prefix: 'acme_live_',
    scopes: VOCABULARY,
    names: 'unique',
    limits: { default: { minute: 60 }, max: { minute: 1000, hour: 20_000 } },
    trustedProxies: [],
    ...own,
  }) as ApiKeys
  onTestFinished(() => keys.close())
  // The address is known once it listens; nobody asks before.
  let handler: ReturnType<typeof consolePage> = async () => new Response()
  const open = framework === 'Express' ? onExpress : onFastify
  const url = await open(keys, (request, platform) => handler(request, platform))
  handler = consolePage(keys, {
    authorize: () => ({ owner: 'acct_1', actor: 'user_7' }),
    baseUrl: `${url}/v1`,
    ...more,
  })
  return { url, page: `${url}/settings/keys`, keys }
}

type Handler = ReturnType<typeof consolePage>

const MODELS = { '/v1/chat/completions': openai, '/v1/messages': anthropic }
/** What a snippet needs; a key without a vocabulary has whatever it was given. */
const DEMAND = { scopes: ['models:use'] }

async function onExpress(keys: ApiKeys, handler: Handler): Promise<string> {
  const app = express()
  app.use('/settings/keys', mount(handler))
  for (const [path, model] of Object.entries(MODELS)) {
    app.post(path, guard(keys, DEMAND), express.json(), async (req, res) => {
      res.type('application/json').send(await all(model(questionOf(req.body)).pieces))
    })
  }
  return (await serve(app)).url
}

async function onFastify(keys: ApiKeys, handler: Handler): Promise<string> {
  const app = Fastify({ forceCloseConnections: true })
  onTestFinished(() => void app.close())
  await app.register(fastifyMount(handler), { prefix: '/settings/keys' })
  for (const [path, model] of Object.entries(MODELS)) {
    app.post(path, { onRequest: fastifyGuard(keys, DEMAND) }, async (req, reply) => {
      return reply.type('application/json').send(await all(model(questionOf(req.body)).pieces))
    })
  }
  await app.listen({ port: 0, host: '127.0.0.1' })
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
}

async function all(pieces: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece
  return text
}

import { once } from 'node:events'
import { connect, createServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { type ApiKeys, createApiKeys, memoryStore } from 'keyward'
import { guard as fastifyGuard } from 'keyward/fastify'
import { guard as koaGuard } from 'keyward/koa'
import { guard as nodeGuard, refuse } from 'keyward/node'
import Koa from 'koa'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listener } from '../support/outcome.ts'
import { deferred, wrapStore } from '../support/stores.ts'

type Listener = (req: Http2ServerRequest, res: Http2ServerResponse) => unknown

/** A guarded route over HTTP/2. It tells when it is reached, and every error that comes past the guard. */
type Serve = (keys: ApiKeys, tell: (word: string) => void) => Listener

function plain(withResponse: boolean): Serve {
  return (keys, tell) => {
    const check = nodeGuard(keys)
    return async (req, res) => {
      const verdict = await (withResponse ? check(req, res) : check(req))
      if (!verdict.ok) refuse(res, verdict)
      else tell(`reached ${verdict.access.owner}`)
    }
  }
}

const SERVERS: readonly (readonly [string, Serve])[] = [
  ['keyward/node', plain(true)],
  ['keyward/node without the response', plain(false)],
  [
    'keyward/koa',
    (keys, tell) => {
      const app = new Koa().on('error', (error: Error) => tell(error.message))
      return app
        .use(koaGuard(keys))
        .use((ctx) => tell(`reached ${ctx.state.apiKey.owner}`))
        .callback() as never
    },
  ],
  [
    'keyward/fastify',
    (keys, tell) => {
      let listener: Listener = () => {}
      const keep = (handler: Listener) => {
        listener = handler
        return createServer()
      }
      const app = Fastify({ http2: true, serverFactory: (handler) => keep(handler as never) })
      app.addHook('onError', async (_req, _reply, error) => tell(error.message))
      app.all('/*', { onRequest: fastifyGuard(keys) }, async (req) => tell(`reached ${req.apiKey.owner}`))
      return async (req, res) => {
        await app.ready()
        return listener(req, res)
      }
    },
  ],
]

/** Serves one request, whose connection ends before the guard is asked or while it asks the store; what was told of it. */
async function outcome(serve: Serve, when: 'before' | 'while', ends: 'server' | 'client', allowedIps?: string[]) {
  const told: string[] = []
  const [asked, goOn, over] = [deferred(), deferred(), deferred()]
  const store = wrapStore(memoryStore(), async (verb, run) => {
    if (verb !== 'find') return run()
    asked.resolve()
    await goOn.promise
    return run()
  })
  const heard = listener()
  const keys = createApiKeys({ prefix: 'htt_', store, storeTimeout: '10s', onEvent: heard.onEvent })
  const { key } = await keys.create({ owner: 'acct_1', allowedIps })
  const answer = serve(keys, (word) => told.push(word))
  const server = createServer(async (req, res) => {
    const end = async () => {
      const gone = once(req.stream, 'close')
      if (ends === 'server') req.stream.session?.destroy()
      else client.destroy()
      await gone
    }
    if (when === 'before') await end()
    const answered = (async () => answer(req, res))().catch((error: Error) => told.push(error.message))
    await asked.promise
    if (when === 'while') await end()
    goOn.resolve()
    await answered
    await new Promise((resolve) => setImmediate(resolve))
    over.resolve()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  client.on('error', () => {})
  client
    .request({ ':path': '/', 'x-api-key': key })
    .on('error', () => {})
    .resume()
  await over.promise
  client.destroy()
  return { told, faults: heard.of('fault'), denials: heard.of('denied').map(({ code }) => code) }
}

describe.each(SERVERS)('I-20 An HTTP/2 connection that has ended, %s', (name, serve) => {
  /** A plain server decides for itself what it does with a verdict that nobody waits for. */
  const told = name.startsWith('keyward/node') ? ['reached acct_1'] : []

  describe.each(['before', 'while'] as const)('%s the guard looks at it', (when) => {
    it.each(['server', 'client'] as const)('is judged without a fault, ended by the %s', async (ends) => {
      expect(await outcome(serve, when, ends)).toEqual({ told, faults: [], denials: [] })
    })
  })

  it.each(['server', 'client'] as const)('has no address by which it could pass, ended by the %s', async (ends) => {
    const judged = await outcome(serve, 'before', ends, ['127.0.0.0/8'])
    expect(judged).toEqual({ told: [], faults: [], denials: ['ip_not_allowed'] })
  })
})

import { Agent, createServer, get, type RequestListener } from 'node:http'
import * as http2 from 'node:http2'
import { text } from 'node:stream/consumers'
import { guard } from 'keyward/node'
import { expect, it, onTestFinished } from 'vitest'
import { purse } from '../support/money.ts'
import { deferred } from '../support/stores.ts'

type Server = ReturnType<typeof createServer> | http2.Http2Server

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as { port: number }).port
}

/** A server whose guard is given the request alone, and a client that keeps its connection. */
async function kept(handle: RequestListener) {
  const money = await purse({ remaining: 100 })
  const check = guard(money.keys, { reserve: 10 })
  const port = await listen(
    createServer(async (req, res) => {
      await check(req)
      handle(req, res)
    }),
  )
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const ask = () =>
    new Promise<string>((resolve, reject) => {
      const headers = { authorization: `Bearer ${money.key}` }
      get({ port, host: '127.0.0.1', agent, headers }, (res) => void text(res).then(resolve, reject)).once(
        'error',
        reject,
      )
    })
  return { money, ask, agent }
}

it('a guard of node that is given the request alone releases what is held when the response was sent', async () => {
  const { money, ask } = await kept((_req, res) => void res.end('ok'))
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  onTestFinished(() => void process.off('warning', note))
  for (let n = 0; n < 15; n++) expect(await ask()).toBe('ok')
  await expect.poll(money.left).toBe(100)
  expect(warnings).toEqual([])
})

it('it holds while the response is being made', async () => {
  const go = deferred<void>()
  const { money, ask } = await kept((_req, res) => void go.promise.then(() => res.end('ok')))
  const answer = ask()
  await expect.poll(money.left).toBe(90)
  go.resolve()
  await answer
  await expect.poll(money.left).toBe(100)
})

it('so it does of HTTP/2, where a connection has many requests', async () => {
  const money = await purse({ remaining: 100 })
  const check = guard(money.keys, { reserve: 10 })
  const go = deferred<void>()
  const port = await listen(
    http2.createServer(async (req, res) => {
      await check(req)
      if (req.url === '/slow') await go.promise
      res.end('ok')
    }),
  )
  const session = http2.connect(`http://127.0.0.1:${port}`)
  onTestFinished(() => session.destroy())
  const ask = (path: string) => text(session.request({ ':path': path, authorization: `Bearer ${money.key}` }))
  const slow = ask('/slow')
  expect(await ask('/')).toBe('ok')
  await expect.poll(money.left).toBe(90)
  go.resolve()
  expect(await slow).toBe('ok')
  await expect.poll(money.left).toBe(100)
})

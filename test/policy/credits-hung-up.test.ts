import type { RequestListener } from 'node:http'
import { connect } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import { type ApiKeys, createApiKeys } from 'keyward'
import { guard as expressGuard } from 'keyward/express'
import { guard as fetchGuard } from 'keyward/fetch'
import { guard as honoGuard } from 'keyward/hono'
import { guard as koaGuard } from 'keyward/koa'
import { mount, guard as nodeGuard, refuse } from 'keyward/node'
import Koa from 'koa'
import { describe, expect, it } from 'vitest'
import { serve } from '../support/serve.ts'
import { deferred } from '../support/stores.ts'

const RESERVE = { reserve: 10 } as const

async function served(listenerOf: (keys: ApiKeys) => RequestListener) {
  const keys = createApiKeys({ prefix: 'hung_', trustedProxies: [] })
  const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 } })
  const { port } = await serve(listenerOf(keys))
  return { key, port, balance: () => keys.balance({ id: record.id }) }
}

interface Work {
  readonly begun: () => void
  readonly done: Promise<unknown>
}

/** Handlers that go on when their client has hung up. */
const HANDLERS: readonly { name: string; listenerOf: (work: Work) => (keys: ApiKeys) => RequestListener }[] = [
  {
    name: 'node, which took `end` before',
    listenerOf: (work) => (keys) => {
      const check = nodeGuard(keys, RESERVE)
      return async (req, res) => {
        const verdict = await check(req, res)
        if (!verdict.ok) return refuse(res, verdict)
        work.begun()
        res.end(await work.done)
      }
    },
  },
  {
    name: 'Express, which took `end` before',
    listenerOf: (work) => (keys) => {
      const app = express()
      app.get('/', expressGuard(keys, RESERVE), async (_req, res) => {
        work.begun()
        res.end(await work.done)
      })
      return app
    },
  },
  {
    name: 'Koa, which throws',
    listenerOf: (work) => (keys) => {
      const app = new Koa()
      app.silent = true
      app.use(koaGuard(keys, RESERVE))
      app.use(async () => {
        work.begun()
        await work.done
        throw new Error('aborted')
      })
      return app.callback()
    },
  },
]

describe('What a request holds is given back', () => {
  it.each(HANDLERS)('when its client hangs up during a handler of $name', async ({ listenerOf }) => {
    const [begun, done] = [deferred(), deferred()]
    const { key, port, balance } = await served(listenerOf({ begun: begun.resolve, done: done.promise }))
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}\r\n\r\n`)
    await begun.promise
    expect(await balance()).toBe(90)
    socket.destroy()
    // The server has heard of it before the handler goes on.
    await new Promise((resolve) => setTimeout(resolve, 50))
    done.resolve()
    await expect.poll(balance).toBe(100)
  })

  it.each([
    {
      name: 'Hono',
      listenerOf: (keys: ApiKeys) => {
        const app = new Hono().get('/', honoGuard(keys, RESERVE), (c) => c.json({ a: 1 }))
        return getRequestListener(app.fetch) as RequestListener
      },
    },
    {
      name: 'fetch, mounted',
      listenerOf: (keys: ApiKeys) => mount(fetchGuard(keys, RESERVE, () => Response.json({ a: 1 }))) as RequestListener,
    },
  ])('when the answer to HEAD has no body, on $name', async ({ listenerOf }) => {
    const { key, port, balance } = await served(listenerOf)
    for (const method of ['GET', 'HEAD', 'HEAD']) {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { method, headers: { 'x-api-key': key } })
      await answer.text()
      expect(answer.status).toBe(200)
      await expect.poll(balance).toBe(100)
    }
  })
})

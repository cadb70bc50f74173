import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { mount as onExpress } from 'keyward/express'
import { mount as onFastify } from 'keyward/fastify'
import { mount as onFetch } from 'keyward/fetch'
import { mount as onHono } from 'keyward/hono'
import { mount as onKoa } from 'keyward/koa'
import { mount as onNode } from 'keyward/node'
import Koa from 'koa'
import { onTestFinished } from 'vitest'
import { EXPRESSES } from '../../support/express.ts'
import { serve } from '../../support/serve.ts'

type Handler = (request: Request, platform?: unknown) => Promise<Response>

/** Where the routes are, below the address of the server. */
export interface Mount {
  readonly name: string
  /** @returns the address of the routes; the server ends with the test */
  open(handler: Handler): Promise<string>
}

/** The handler on each framework, as its section of the README says. */
export const MOUNTS: readonly Mount[] = [
  ...EXPRESSES.flatMap(({ name, express }) => [
    { name, open: async (handler: Handler) => at(await serve(express().use('/keys', onExpress(handler)))) },
    {
      name: `${name} behind a body parser`,
      open: async (handler: Handler) => at(await serve(express().use('/keys', express.json(), onExpress(handler)))),
    },
  ]),
  {
    name: 'Fastify',
    async open(handler) {
      const app = Fastify({ forceCloseConnections: true })
      app.register(onFastify(handler), { prefix: '/keys' })
      onTestFinished(() => void app.close())
      await app.listen({ port: 0, host: '127.0.0.1' })
      return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/keys`
    },
  },
  { name: 'Koa', open: async (handler) => at(await serve(new Koa().use(onKoa('/keys', handler)).callback())) },
  {
    name: 'Hono',
    open: async (handler) => at(await serve(getRequestListener(new Hono().use(onHono('/keys', handler)).fetch))),
  },
  {
    name: "Hono's own mount",
    open: async (handler) => at(await serve(getRequestListener(new Hono().mount('/keys', handler).fetch))),
  },
  {
    name: 'fetch',
    open: async (handler) => at(await serve(getRequestListener(onFetch('/keys', handler)))),
  },
  { name: 'node:http', open: async (handler) => (await serve(onNode(handler))).url },
]

function at({ url }: { readonly url: string }): string {
  return `${url}/keys`
}

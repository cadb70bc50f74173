/** Checked by the compiler alone (`npm run typecheck`, `typecheck:7`): nothing here is run. */
import express, { type Request, type RequestHandler } from 'express'
import { type Access, type ApiKeys, createApiKeys, type Reading, type Status } from 'keyward'
import { guard } from 'keyward/express'
import { type Same, same } from './assert.ts'

const keys = createApiKeys({ prefix: 'agk_live_', scopes: { contacts: ['read', 'update'] } })
const app = express()

export function theIdentityIsTypedAfterTheGuardWithNoCast() {
  app.get('/', guard(keys, { scopes: ['contacts:read'] }), (req, res) => {
    same<Same<typeof req.apiKey, Access>>()
    same<Same<typeof req.apiKey.owner, string>>()
    same<Same<typeof req.apiKey.status, Status>>()
    same<Same<typeof req.apiKey.readings, readonly Reading[]>>()
    const exactly = keys.of(req)
    same<Same<(typeof exactly.scopes)[number], 'contacts:read' | 'contacts:update' | 'contacts:*' | '*'>>()
    // @ts-expect-error an identity is for reading
    req.apiKey.owner = 'acct_2'
    // @ts-expect-error scopes are for reading
    req.apiKey.scopes.push('*')
    // @ts-expect-error there is no hash in it
    res.json(req.apiKey.hash)
  })
}

/** A URL's own text tells its parameters; a guard in between must not widen them. */
export function theParametersOfTheRouteAreKept() {
  app.get('/agents/:id', guard(keys), (req) => {
    same<Same<typeof req.params.id, string>>()
    // @ts-expect-error the route has no such parameter
    return req.params.agent
  })
  app.get('/agents/:id/contacts/:contact', guard(keys), guard(keys, { cost: 2 }), (req) => {
    same<Same<typeof req.params.id, string>>()
    same<Same<typeof req.params.contact, string>>()
  })
  app.route('/agents/:id').get(guard(keys), (req) => {
    same<Same<typeof req.params.id, string>>()
  })
  const router = express.Router({ mergeParams: true })
  router.get('/contacts/:contact', guard(keys), (req) => {
    same<Same<typeof req.params.contact, string>>()
  })
  app.use('/agents/:id', guard(keys), router)
}

export function theRestOfARequestIsKeptToo() {
  interface Body {
    readonly name: string
  }
  const handler: RequestHandler<{ id: string }, { ok: boolean }, Body, { page: string }> = (req, res) => {
    same<Same<typeof req.body, Body>>()
    same<Same<typeof req.query, { page: string }>>()
    same<Same<typeof req.apiKey, Access>>()
    res.json({ ok: req.params.id === req.body.name })
  }
  app.post<'/agents/:id', { id: string }, { ok: boolean }, Body, { page: string }>('/agents/:id', guard(keys), handler)
}

export function aGuardIsMiddlewareWhereverExpressTakesOne() {
  app.use(guard(keys))
  app.use('/v1', guard(keys), guard(keys))
  app.all(/^\/v2/, guard(keys))
  app.get('/list', [guard(keys), guard(keys, { scopes: ['contacts:read'] })], (req: Request) => req.apiKey.owner)
  express.Router().use(guard(keys))
  const middleware: RequestHandler = guard(keys)
  return middleware
}

export function theFunctionsOfADemandGetTheRequestOfExpress() {
  guard(keys, {
    resource: (req) => {
      same<Same<typeof req, Request>>()
      return `agent:${String(req.params.id)}`
    },
    owner: (req) => req.header('x-account'),
    cost: (req) => (req.query.full === undefined ? 1 : 5),
  })
  guard(keys, {
    owner: (req: Request<{ account: string }>) => req.params.account,
    reserve: (req: Request<object, unknown, { n: number }>) => req.body.n,
  })
  // @ts-expect-error what Express has not
  guard(keys, { owner: (req: { readonly nowhere: 1 }) => String(req.nowhere) })
  // @ts-expect-error an asynchronous function cannot be waited for
  guard(keys, { owner: async () => 'acct_1' })
  // @ts-expect-error a cost is a number
  guard(keys, { cost: () => '1' })
}

export function aDemandHasNoOtherFields() {
  guard(keys, {})
  // @ts-expect-error misspelt
  guard(keys, { scope: ['contacts:read'] })
  // @ts-expect-error undefined would demand nothing
  guard(keys, { scopes: undefined })
  // @ts-expect-error no refusal has this code
  guard(keys, { answers: { invalid_kee: { status: 403 } } })
  // @ts-expect-error no window has this name
  guard(keys, { limits: { fortnight: 1 } })
}

export function aGuardNeedsInstances() {
  guard([keys])
  // @ts-expect-error nothing
  guard()
  // @ts-expect-error no instance
  guard({})
  // @ts-expect-error options are no instance
  guard({ prefix: 'agk_live_' })
}

/** A host may write its guards down once, for instances that it is given. */
export function guardsCanBeMadeByFunctions(given: ApiKeys, list: readonly ApiKeys[]) {
  return [guard(given, { scopes: ['any:text'] }), guard(list, { scopes: ['any:text'] })]
}

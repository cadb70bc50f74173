import bearerAuth from '@fastify/bearer-auth'
import fastifyRateLimit from '@fastify/rate-limit'
import type { RequestHandler } from 'express'
import { type Options, rateLimit } from 'express-rate-limit'
import type { FastifyInstance } from 'fastify'
import type Koa from 'koa'
import passport from 'passport'
import { HeaderAPIKeyStrategy } from 'passport-headerapikey'
import { EXPRESS, FASTIFY, KOA, onExpress, onFastify, onKoa, strangers, type Variant } from './http-apps.ts'
import { betterAuth } from './peer-better-auth.ts'

// Each peer as its own documentation sets it up, in memory.

const MINUTE = 60_000

/** It looks a key up and nothing else: no scopes, no states, no hash. */
function passportMiddleware(known: ReadonlySet<string>): RequestHandler {
  passport.use(
    new HeaderAPIKeyStrategy({ header: 'Authorization', prefix: 'Bearer ' }, false, (key, done) =>
      done(null, known.has(`Bearer ${key}`) ? { key } : false),
    ),
  )
  return passport.authenticate('headerapikey', { session: false }) as RequestHandler
}

function limiter(windowMs: number, limit: number): RequestHandler {
  const keyGenerator: Options['keyGenerator'] = (req) => String(req.headers.authorization)
  return rateLimit({ windowMs, limit, keyGenerator, standardHeaders: 'draft-8', legacyHeaders: false, validate: false })
}

const onExpressToo: readonly Variant[] = [
  {
    name: 'passport-headerapikey',
    verifies: true,
    windows: 0,
    async make() {
      const sent = strangers()
      return { listener: onExpress(passport.initialize(), passportMiddleware(new Set(sent))), sent }
    },
  },
  {
    name: 'express-rate-limit, one window',
    verifies: false,
    windows: 1,
    make: async (limit) => ({ listener: onExpress(limiter(MINUTE, limit)), sent: strangers() }),
  },
  {
    name: 'passport-headerapikey and express-rate-limit twice',
    verifies: true,
    windows: 2,
    async make(limit) {
      const sent = strangers()
      const before = [passport.initialize(), passportMiddleware(new Set(sent))]
      return { listener: onExpress(...before, limiter(MINUTE, limit), limiter(60 * MINUTE, limit * 2)), sent }
    },
  },
]

/** Its keys are texts, which it compares in constant time one after another: so it is given one. */
const bearer = (app: FastifyInstance, [first = '']: readonly string[]) =>
  app.register(bearerAuth, { keys: new Set([first.slice('Bearer '.length)]) })

const limited = (app: FastifyInstance, max: number) =>
  app.register(fastifyRateLimit, {
    max,
    timeWindow: MINUTE,
    keyGenerator: (req) => String(req.headers.authorization),
  })

const onFastifyToo: readonly Variant[] = [
  {
    name: '@fastify/bearer-auth, one key',
    verifies: true,
    windows: 0,
    async make() {
      const sent = strangers().slice(0, 1)
      return { listener: await onFastify((app) => bearer(app, sent)), sent }
    },
  },
  {
    name: '@fastify/rate-limit, one window',
    verifies: false,
    windows: 1,
    make: async (limit) => ({ listener: await onFastify((app) => limited(app, limit)), sent: strangers() }),
  },
  {
    name: '@fastify/bearer-auth, one key, and @fastify/rate-limit, one window',
    verifies: true,
    windows: 1,
    async make(limit) {
      const sent = strangers().slice(0, 1)
      const prepare = async (app: FastifyInstance) => {
        await bearer(app, sent)
        await limited(app, limit)
      }
      return { listener: await onFastify(prepare), sent }
    },
  },
]

type Verify = (authorization: string) => Promise<200 | 401 | 429>

type Listen = (verify: Verify) => ReturnType<typeof onExpress> | ReturnType<typeof onFastify>

function betterAuthOn(listen: Listen): Variant {
  return {
    name: 'better-auth, one permission, one window',
    verifies: true,
    windows: 1,
    takes: 5,
    async make(limit) {
      const { verify, keys } = await betterAuth(limit, 100)
      const listener = await listen((authorization) => verify(authorization.slice('Bearer '.length)))
      return { listener, sent: keys.map((key) => `Bearer ${key}`) }
    },
  }
}

const expressBetterAuth = betterAuthOn((verify) =>
  onExpress(async (req, res, next) => {
    const status = await verify(req.headers.authorization ?? '')
    if (status === 200) next()
    else res.status(status).end()
  }),
)

const fastifyBetterAuth = betterAuthOn((verify) => {
  const onRequest = async (
    req: { headers: { authorization?: string } },
    reply: { code(status: number): { send(): unknown } },
  ) => {
    const status = await verify(req.headers.authorization ?? '')
    if (status !== 200) return reply.code(status).send()
  }
  return onFastify(() => {}, { onRequest })
})

const koaBetterAuth = betterAuthOn((verify) =>
  onKoa((async (ctx, next) => {
    const status = await verify(ctx.get('authorization'))
    if (status === 200) return next()
    ctx.status = status
  }) as Koa.Middleware),
)

export const FRAMEWORKS: Readonly<Record<string, readonly Variant[]>> = {
  Express: [...EXPRESS, ...onExpressToo, expressBetterAuth],
  Fastify: [...FASTIFY, ...onFastifyToo, fastifyBetterAuth],
  Koa: [...KOA, koaBetterAuth],
}

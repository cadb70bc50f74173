import { randomUUID } from 'node:crypto'
import type { Request, RequestHandler } from 'express'

/** Your own login, after the password: who is signed in, by a cookie. No part of it is Keyward's. */
export interface Sessions<User> {
  /** Begins a session, and answers the cookie that carries it. */
  signIn(user: User): string
  /** Middleware that answers 401 to whoever is not signed in. */
  readonly required: RequestHandler
  /** Who is signed in, behind `required`. */
  user(req: Request): User
  /** Whose cookie it is. */
  of(cookie: string | null | undefined): User | undefined
  /** The link that signs a browser in by a cookie, as one has it in a mail, and opens this page. */
  linkTo(page: string, cookie: string): string
  /** For `GET /sign-in/:session`, where such links go. */
  readonly enter: RequestHandler
}

export function createSessions<User>(): Sessions<User> {
  const sessions = new Map<string, User>()
  const of = (cookie: string | null | undefined) =>
    sessions.get(/(?:^|; )session=([\w-]+)/.exec(cookie ?? '')?.[1] ?? '')

  return {
    of,
    signIn(user) {
      const id = randomUUID()
      sessions.set(id, user)
      return `session=${id}`
    },
    required(req, res, next) {
      if (of(req.headers.cookie) !== undefined) next()
      else res.status(401).json({ error: 'Sign in first' })
    },
    user(req) {
      const user = of(req.headers.cookie)
      if (user === undefined) throw new Error('this route is not behind sessions.required')
      return user
    },
    linkTo: (page, cookie) => `/sign-in/${cookie.replace('session=', '')}?to=${page}`,
    enter(req, res) {
      const { session, to } = { session: String(req.params.session), to: String(req.query.to) }
      // A page of this service: `//evil.example` would be another's.
      if (!sessions.has(session) || !/^(\/[\w-]+)+$/.test(to)) return void res.status(404).end()
      res.set('Set-Cookie', `session=${session}; Path=/; HttpOnly; SameSite=Lax`).redirect(to)
    },
  }
}

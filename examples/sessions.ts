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
}

export function createSessions<User>(): Sessions<User> {
  const sessions = new Map<string, User>()
  const find = (req: Request) => sessions.get(/(?:^|; )session=([\w-]+)/.exec(req.headers.cookie ?? '')?.[1] ?? '')

  return {
    signIn(user) {
      const id = randomUUID()
      sessions.set(id, user)
      return `session=${id}`
    },
    required(req, res, next) {
      if (find(req) !== undefined) next()
      else res.status(401).json({ error: 'Sign in first' })
    },
    user(req) {
      const user = find(req)
      if (user === undefined) throw new Error('this route is not behind sessions.required')
      return user
    },
  }
}

import { KeywardError } from '../model/errors.ts'

interface Signs {
  readonly req?: { readonly raw?: unknown }
  readonly res?: unknown
  readonly raw?: unknown
  readonly headers?: { readonly get?: unknown }
}

/** The entry that is for who calls with this. Express marks the requests of Node, and what goes by its manner may not. */
function entryFor(first: unknown): string {
  const { req, res, raw, headers } = Object(first) as Signs
  if (raw) return 'fastify'
  if (req) return req.raw ? 'hono' : 'koa'
  if (typeof headers?.get === 'function') return 'fetch'
  return res ? 'express' : 'node or keyward/express'
}

/**
 * The error of a guard that was called by another framework than the one it is for.
 * @param first its first argument
 */
export function misplaced(first: unknown): KeywardError {
  return new KeywardError('CONFIG', `guard: import it from keyward/${entryFor(first)}`)
}

/**
 * Looks at what is no request of Node by its looks.
 * @param request what the guard was called with
 * @throws KeywardError `CONFIG` for what another framework made
 */
export function checkMessage(message: unknown, request: unknown): void {
  // What has signs of neither may be a stand-in, as tests make them.
  if (message === undefined || !entryFor(message).endsWith('express')) throw misplaced(request)
}

/** Where a guard answers with a promise: of one that rejects Express 4 hears nothing, and its client would wait for ever. */
export function turnAway(first: unknown, second: unknown, third: unknown): Promise<never> {
  const error = misplaced(first)
  // Fastify would take both for a word to go on.
  if (typeof third !== 'function' || !('setHeader' in Object(second))) return Promise.reject(error)
  third(error)
  return new Promise(() => {})
}

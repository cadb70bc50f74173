import type { IncomingMessage, ServerResponse } from 'node:http'
import { checkHandler } from '../handler.ts'
import { originForm } from './came-by.ts'
import { answerOf, type FetchHandler } from './node.ts'

interface Reply {
  readonly raw: ServerResponse
  send(payload?: unknown): Reply
}

interface Scope {
  readonly prefix: string
  removeAllContentTypeParsers(): unknown
  addContentTypeParser(type: string, parse: (request: never, body: never, done: (error: null) => void) => void): unknown
  all(
    path: string,
    options: object,
    handler: (request: { readonly raw: IncomingMessage }, reply: Reply) => Promise<unknown>,
  ): unknown
}

/**
 * Mounts a fetch-style handler: `app.register(mount(handler), { prefix: '/keys' })`. It sees the path below the prefix
 * and reads the body itself. What it throws goes to the error handler.
 * @throws KeywardError `CONFIG` for a handler that is no function
 */
export function mount(handler: FetchHandler): (app: unknown) => Promise<void> {
  checkHandler(handler, "app.register(mount(handler), { prefix: '/keys' })")
  return async (app) => {
    const scope = app as Scope
    // As many segments as the prefix has: what stands for a parameter in it is as long as it happens to be.
    const prefix = new RegExp(`^(/[^/?]*){${scope.prefix.split(/\/./).length - 1}}/?`)
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _body, done) => done(null))
    const answer = async ({ raw }: { readonly raw: IncomingMessage }, reply: Reply) => {
      const url = originForm(`${raw.url}`).replace(prefix, '/')
      return reply.send(await answerOf(handler, raw, reply.raw, { url }))
    }
    // Not for `@fastify/swagger`: what the handler serves under this path is its own to describe.
    const options = { schema: { hide: true } }
    scope.all('/', options, answer)
    scope.all('/*', options, answer)
  }
}

import type { IncomingHttpHeaders } from 'node:http'
import { KeywardError } from '../../model/errors.ts'
import { show } from '../../model/redact.ts'

/** What the requests of Express and of Fastify have in common. A function of a demand may ask for either by name. */
export interface NestRequest {
  readonly method: string
  readonly url: string
  readonly hostname: string
  readonly headers: IncomingHttpHeaders
  /** Of the route. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  /** Parsed: in Nest, guards come after the body. */
  readonly body: unknown
}

/** What is used of a context of Nest to come by a request. */
export interface RequestContext {
  getType(): string
  switchToHttp(): { getRequest(): object; getResponse(): object }
}

/** @throws KeywardError `CONFIG` for a message of another kind */
export function requestOf(context: RequestContext): object {
  const type = context.getType()
  if (type === 'http') return context.switchToHttp().getRequest()
  throw new KeywardError(
    'CONFIG',
    `keyward/nest guards requests of HTTP, not ${show(type)}: open the handler with @Public(), and ask keys.verify() in it`,
  )
}

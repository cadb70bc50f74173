import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer } from '../../model/answer.ts'
import { KeywardError } from '../../model/errors.ts'
import type { RequestFacts } from '../../model/request.ts'
import { onceEnded } from '../ended/response.ts'
import { hasReplied, type Reply, sendAnswer, setHeaders } from '../fastify/reply.ts'
import { addHeaders, hasAnswered, nodeFacts, writeAnswer } from '../node.ts'

/** A request and its response, in the way of the platform that Nest runs on. */
export interface Exchange {
  readonly facts: RequestFacts
  /** Whether somebody has answered, or nobody is there to read an answer. */
  isOver(): boolean
  refuse(answer: Answer): void
  add(headers: Readonly<Record<string, string>>): void
  onceEnded(then: () => void): void
}

/** @throws KeywardError `CONFIG` for a platform other than Express and Fastify */
export function exchangeOf(request: object, response: object): Exchange {
  if (isMessage(request)) return onExpress(request, response as ServerResponse)
  const raw: unknown = Object.getOwnPropertyDescriptor(request, 'raw')?.value
  if (isMessage(raw)) return onFastify(raw, request, response as Reply)
  throw new KeywardError('CONFIG', 'keyward/nest is for the platforms Express and Fastify; this request is of neither')
}

function isMessage(value: unknown): value is IncomingMessage {
  return Array.isArray((value as { rawHeaders?: unknown } | undefined)?.rawHeaders)
}

function onExpress(request: IncomingMessage, response: ServerResponse): Exchange {
  return {
    facts: nodeFacts(request),
    isOver: () => hasAnswered(response),
    refuse: (answer) => writeAnswer(response, answer),
    add: (headers) => addHeaders(response, headers),
    onceEnded: (then) => onceEnded(response, then),
  }
}

function onFastify(raw: IncomingMessage, request: object, reply: Reply): Exchange {
  return {
    facts: nodeFacts(raw, request),
    isOver: () => hasReplied(reply),
    refuse: (answer) => sendAnswer(reply, answer),
    add: (headers) => setHeaders(reply, headers),
    onceEnded: (then) => onceEnded(reply.raw, then),
  }
}

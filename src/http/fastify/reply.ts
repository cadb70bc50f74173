import type { ServerResponse } from 'node:http'
import type { Answer } from '../../model/answer.ts'
import { checkHeaders, hasAnswered } from '../node.ts'
import { varyWith } from '../vary.ts'

/** What is used of a reply of Fastify, so that its hooks see what a guard says. */
export interface Reply {
  readonly sent: boolean
  readonly raw: ServerResponse
  code(status: number): Reply
  header(name: string, value: string): Reply
  getHeader(name: string): unknown
  send(payload: Buffer): unknown
}

/** Whether somebody has answered already, or nobody is there to read an answer. */
export function hasReplied(reply: Reply): boolean {
  return reply.sent || hasAnswered(reply.raw)
}

/** Sends a refusal. As text, its type would be given a charset. @throws TypeError for what is no header */
export function sendAnswer(reply: Reply, { status, headers, body }: Answer): void {
  // First what may throw: a header of the host's own making must not leave a half-made refusal behind.
  checkHeaders(headers)
  setHeaders(reply, headers)
  reply.code(status).send(Buffer.from(body))
}

/**
 * Adds header fields to a reply. Fastify sends their names in lower case and looks them up by it; of `Vary`, which every
 * answer has, it is spared the work.
 */
export function setHeaders(reply: Reply, headers: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(headers)) {
    const value = headers[name] as string
    if (name === 'Vary') reply.header('vary', varyWith(reply.getHeader('vary'), value))
    else reply.header(name, value)
  }
}

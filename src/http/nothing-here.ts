import { responseTo } from './management-reply.ts'
import { NOT_FOUND, problemReply } from './problem-reply.ts'

/** What `mount` answers to a path that it hands to nobody. */
export function nothingHere(method: string): Response {
  return responseTo(problemReply('not_found', NOT_FOUND), method === 'HEAD')
}

import type { ApiKeys } from '../../api-keys.ts'
import type { RequestFacts } from '../../model/request.ts'
import { fieldsOf } from '../fetch/response.ts'
import { createGuard } from '../guard.ts'
import { shown } from './actions.ts'
import type { Precondition } from './etag.ts'
import { refusal } from './problems.ts'
import type { Reply } from './reply.ts'

/** A request that carries a key in place of a person. */
interface Call {
  readonly method: string
  readonly facts: RequestFacts
  /** From where it came, as far as that can be known. */
  readonly address: string | undefined
  readonly precondition: Precondition | undefined
}

/**
 * What a key may do by itself: ask what it is, and end itself. It is read and judged as by any guard, for whatever
 * resource it is bound to, and pays nothing. Nothing that it sends can change what it may.
 */
export function selfService(keys: ApiKeys): (call: Call) => Promise<Reply | Response> {
  const ask = createGuard(keys, { resource: '*', cost: 0 })

  return async ({ method, facts, address, precondition }) => {
    const decision = await ask(facts)
    const { answer } = decision
    if (answer !== undefined) return new Response(answer.body, { status: answer.status, headers: fieldsOf(answer) })
    // There is none only where a demand is optional.
    const { access } = decision.verdict
    if (access === undefined) return refusal('unauthenticated')
    const { id, owner } = access
    if (method === 'DELETE') {
      const author = { owner, actor: `key:${id}`, address, when: precondition?.when }
      await keys.revoke(id, { ...author, reason: 'ended by the key itself' })
      return { status: 204, headers: decision.headers }
    }
    const record = await keys.get(id, { owner })
    if (record === undefined) return refusal('not_found')
    const { body, ...reply } = shown(record, decision.headers)
    return { ...reply, body: { record, usage: await keys.usage(id, { owner }) } }
  }
}

import type { Answer } from '../model/answer.ts'
import type { AnyDemand, Demand } from '../model/demand.ts'
import { flawedAt, KeywardError } from '../model/errors.ts'
import { isRecord } from '../model/is-object.ts'
import { show } from '../model/redact.ts'
import type { RequestFacts } from '../model/request.ts'
import { cameBy, type Origin } from './came-by.ts'
import type { Decision } from './guard.ts'
import { varyWith } from './vary.ts'

/** A demand where there is no socket to ask: the runtime's own package knows who is at its other end. */
export type FetchDemand<Scope extends string, Request, Args extends readonly unknown[]> = Demand<Scope, Request> & {
  /**
   * The address that the request came from, in place of a socket's: `trustedProxies` is asked about it as it is about
   * a socket's. Without it, or where it gives nothing, the address is unknown, which never passes an allowlist.
   */
  readonly address?: (...args: Args) => string | undefined
}

export type AddressOf<Args extends readonly unknown[]> = (...args: Args) => string | undefined

/**
 * Takes the address function out of a demand; the rest is what every guard knows.
 * @throws KeywardError `CONFIG` for an address that is no function
 */
export function splitDemand<Args extends readonly unknown[]>(
  demand: (AnyDemand & { readonly address?: unknown }) | undefined,
): [AnyDemand | undefined, AddressOf<Args>] {
  const unknown: AddressOf<Args> = () => undefined
  if (!isRecord(demand) || !Object.hasOwn(demand, 'address')) return [demand, unknown]
  const { address, ...others } = demand
  // Of what class it is, is not lost: there something may be demanded.
  const rest = Object.setPrototypeOf(others, Object.getPrototypeOf(demand))
  if (typeof address === 'function') return [rest, (...args) => atOnce(address(...args))]
  const rule = `must be a function that gives the address of a request, not ${show(address)}`
  throw flawedAt('CONFIG', 'address', rule, 'demand: ')
}

/** Rules never wait. A promise is heard out, so that its failure does not end the process. */
export function atOnce(told: unknown): string | undefined {
  if (!(told instanceof Promise)) return told as string | undefined
  told.catch(() => {})
  throw new KeywardError('CONFIG', 'address gave a promise; look up what it needs before')
}

/** A fetch `Request`, as far as it has to be looked at. */
export interface FetchRequest {
  readonly headers: { get(name: string): string | null }
  readonly url?: string
}

/** Whether it is one at all: a guard may have been put into another framework. */
export function isRequest(came: unknown): boolean {
  return typeof (came as FetchRequest | undefined)?.headers?.get === 'function'
}

/**
 * What a fetch request tells.
 * @param platform what the runtime gives beside it: on Node, `@hono/node-server` says there what really came
 * @param request the framework's own object
 */
export function fetchFacts(
  came: FetchRequest,
  platform: unknown,
  peer: string | undefined,
  request: unknown,
): RequestFacts {
  const incoming = (platform as { incoming?: Origin } | null | undefined)?.incoming ?? cameBy(came)
  const lines: unknown = incoming?.rawHeaders
  const isNode = Array.isArray(lines)
  return {
    // Node's raw lines where there are so many that Node may have dropped some: of that `Headers` tell nothing.
    rawHeaders: isNode && lines.length >= 2000 ? lines : undefined,
    headers: came.headers,
    peer,
    address: undefined,
    // Not its URL where there is a socket: a client may write any scheme into that.
    secure: isNode ? incoming : came,
    connection: undefined,
    request,
  }
}

/** A client that hung up while the store was asked is not handed to the handler: there is nobody to answer. */
export async function inTime(asked: Promise<Decision>, signal: AbortSignal | undefined): Promise<Decision> {
  const decision = await asked
  if (decision.answer !== undefined || signal?.aborted !== true) return decision
  decision.release?.()
  throw signal.reason
}

/** For which request a guard has said on a response what is left. */
const guarded = new WeakMap<Response, Request>()

function said(response: Response, request: Request): Response {
  guarded.set(response, request)
  return response
}

/** A refusal. Its length is stated because a runtime cannot know it of the answer to `HEAD`. */
export function responseOf(answer: Answer, request: Request): Response {
  return said(new Response(answer.body, { status: answer.status, headers: fieldsOf(answer) }), request)
}

/** One by one: what the host wrote in another case takes the place of ours, as it does on Node. */
export function fieldsOf({ headers, body }: Answer): Headers {
  const fields = new Headers()
  for (const name of Object.keys(headers)) fields.set(name, headers[name] as string)
  fields.set('Content-Length', String(new TextEncoder().encode(body).length))
  return fields
}

/** Statuses of answers that have no body. */
const BODYLESS = [204, 205, 304]
/** Bun makes up the type of a text when it sends it, and no more once its body was looked at. */
const MAY_LOOK = !('Bun' in globalThis)

/**
 * Whether a response has no body: it may be the host's constant, which is not to be written on. Where a type is stated there
 * is one, which is not looked at: Deno would not know its length any more.
 */
export function isEmpty(response: Response): boolean {
  if (BODYLESS.includes(response.status)) return true
  return MAY_LOOK && !response.headers.has('content-type') && response.body === null
}

/**
 * The response with these fields added; what a guard within has said, which took later, stays. One that can be neither changed
 * nor copied, such as an upgrade's, stays as it is.
 * @param given what the handler was given, and so a guard within
 * @param request what this guard was given
 */
export function withHeaders(
  response: Response,
  headers: Readonly<Record<string, string>>,
  given: Request,
  request: Request,
): Response {
  const isSaid = guarded.get(response) === given
  const set = (to: Response) => {
    for (const [name, value] of Object.entries(headers)) {
      if (name === 'Vary') to.headers.set(name, varyWith(to.headers.get(name), value))
      else if (!isSaid || !to.headers.has(name)) to.headers.set(name, value)
    }
    return said(to, request)
  }
  try {
    return set(isEmpty(response) && response.status >= 200 ? new Response(null, response) : response)
  } catch {
    // Headers of a redirect, or of what fetch() gave, are immutable.
    return response.status >= 200 ? set(new Response(response.body, response)) : response
  }
}

/**
 * The response, which calls `then` when its body has come to its end or broken; of an answer to HEAD nobody reads one. Not
 * when a client hangs up: who makes the body may still be at work, and charges what was used; what is never settled runs out
 * with its lease.
 */
export function onceRead(response: Response, request: Request, then: () => void): Response {
  // A body that is being read already is not the handler's: somebody else has answered meanwhile.
  if (response.body === null || response.body.locked || request.method === 'HEAD') {
    then()
    return response
  }
  const reader = response.body.getReader()
  let isLeft = false
  const read = async () => {
    const { done, value } = await reader.read()
    if (done && !isLeft) then()
    return { done, value }
  }
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    try {
      const { done, value } = await read()
      if (done) controller.close()
      else controller.enqueue(value)
    } catch (error) {
      if (!isLeft) then()
      controller.error(error)
    }
  }
  const cancel = async (reason: unknown) => {
    // A text is there as a whole, and so is its end: only of what is not may somebody be at work.
    const rest = read().then(({ done }) => (done ? undefined : read()))
    await Promise.race([rest, new Promise((resolve) => setTimeout(resolve))]).catch(then)
    isLeft = true
    await reader.cancel(reason)
  }
  // Two parts are read ahead, so a text to its end: what stands around a guard may put another answer in its place.
  const body = new ReadableStream({ pull, cancel }, { highWaterMark: 2 })
  return said(new Response(body, response), request)
}

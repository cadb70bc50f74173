import type { Answer, AnswerChange, AnswerOverrides } from '../model/answer.ts'
import { KeywardError } from '../model/errors.ts'
import { isObject, isRecord } from '../model/is-object.ts'
import { own } from '../model/own.ts'
import { show } from '../model/redact.ts'
import type { DenialCode, Denied } from '../model/verdict.ts'
import { changeOf, isRefusal } from './answer-overrides.ts'
import { newRequestId, problemDocument, requestIdFields } from './problem-document.ts'
import { type RateHeaders, rateFields } from './rate-headers.ts'
import { WORDING, type Wording } from './wording.ts'

export interface ProblemOptions {
  readonly realm: string
  /** `nobody`: revoked, disabled and expired are told as `invalid_key`, byte for byte. */
  readonly reveal: 'holder' | 'nobody'
  readonly rateHeaders: RateHeaders
  /** The value of `Vary`: the headers that credentials are read from. */
  readonly vary: string
  /** The instance's, then the demand's. */
  readonly answers: readonly (AnswerOverrides | undefined)[]
}

/** A wait longer than this is no wait for an SDK: it would sleep through it on every attempt. */
const LONGEST_RETRY = 60

/**
 * Answers refusals with problem documents (RFC 9457) that the SDKs of OpenAI and Anthropic raise their own errors from.
 * Where an answer says nothing of a key it is written once, and then differs by the id of its request alone: floods of
 * keys that nobody has are to cost little.
 */
export function problemWriter(options: ProblemOptions): (denied: Denied) => Answer {
  const isFixed = options.answers.every((overrides) => typeof overrides !== 'function')
  const written = new Map<DenialCode, Answer>()

  return (denied) => {
    const told = options.reveal === 'nobody' ? hide(denied) : denied
    if (!isFixed || told.record !== undefined || told.retryAfter !== undefined) {
      return problem(told, options, newRequestId())
    }
    const blank = written.get(told.code) ?? problem(told, options, NO_REQUEST)
    written.set(told.code, blank)
    const requestId = newRequestId()
    const headers = { ...blank.headers, ...requestIdFields(requestId) }
    return { status: blank.status, headers, body: blank.body.replace(NO_REQUEST, requestId) }
  }
}

/** Stands for an id that is yet to be made. */
const NO_REQUEST = `req_${'0'.repeat(32)}`

function problem(denied: Denied, options: ProblemOptions, requestId: string): Answer {
  // Read without what somebody put on Object.prototype: no such thing shall change an answer.
  const told = own(denied)
  const wording: Wording = own({ ...WORDING[told.code], ...detailFor(told) })
  const answer: Answer = {
    status: told.status,
    headers: headersOf(told, wording, requestId, options),
    body: bodyOf(told, wording, requestId),
  }
  return options.answers.reduce<Answer>((last, overrides) => {
    if (typeof overrides === 'function') return checked(overrides(told, last))
    const change = changeOf(told.code, overrides)
    return change === undefined ? last : changed(last, change, challengeOf(told, change.status, wording, options.realm))
  }, answer)
}

function hide(denied: Denied): Denied {
  const { hidden: code } = own(WORDING[denied.code])
  return code === undefined ? denied : { ok: false, code, status: denied.status }
}

/** What the client has to know to do better next time. */
function detailFor({ code, needed, retryAfter }: Denied): Partial<Wording> {
  if (code === 'insufficient_scope' && needed !== undefined) {
    return { detail: `This API key lacks a scope that the request needs: ${needed.join(' ')}.` }
  }
  if (code !== 'rate_limited') return {}
  if (retryAfter === undefined)
    return { detail: 'The request costs more than the rate limit of this API key ever allows.' }
  return { detail: `This API key has used up its rate limit. Try again in ${retryAfter} s.` }
}

function headersOf(
  denied: Denied,
  wording: Wording,
  requestId: string,
  options: ProblemOptions,
): Record<string, string> {
  const headers: Record<string, string> = {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    Vary: options.vary,
    ...requestIdFields(requestId),
  }
  const challenge = challengeOf(denied, denied.status, wording, options.realm)
  if (challenge !== undefined) headers['WWW-Authenticate'] = challenge
  if (denied.retryAfter !== undefined) headers['Retry-After'] = String(denied.retryAfter)
  if (!canRetrySoon(denied)) headers['X-Should-Retry'] = 'false'
  return Object.assign(headers, rateFields(denied, options.rateHeaders))
}

/** Every 401 names the scheme (RFC 9110 section 15.5.2); `error` is left out where nothing was sent (RFC 6750 section 3.1). */
function challengeOf(
  { needed }: Denied,
  status: number | undefined,
  { challenge }: Wording,
  realm: string,
): string | undefined {
  if (status !== 401 && challenge === undefined) return undefined
  const error = challenge ? `, error="${challenge}"` : ''
  const scope = needed ? `, scope="${needed.join(' ')}"` : ''
  return `Bearer realm="${realm}"${error}${scope}`
}

function canRetrySoon({ code, retryAfter }: Denied): boolean {
  if (code === 'unavailable') return true
  return retryAfter !== undefined && retryAfter <= LONGEST_RETRY
}

function bodyOf({ code, status, needed, retryAfter }: Denied, wording: Wording, requestId: string): string {
  const more = { required_scopes: needed, retry_after: retryAfter }
  return JSON.stringify(problemDocument({ ...wording, code, status }, requestId, more))
}

/** An answer with a change by code laid over it, whoever worded it so far. */
function changed({ headers, body, ...last }: Answer, change: AnswerChange, challenge: string | undefined): Answer {
  const status = change.status ?? last.status
  return { status, headers: challenged(headers, change.status, challenge), body: reworded(body, change) }
}

/** A 401 has a challenge; where Keyward's stood for the 401 alone, it goes with it. */
function challenged(
  headers: Answer['headers'],
  status: number | undefined,
  challenge: string | undefined,
): Answer['headers'] {
  if (status === undefined) return headers
  const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'www-authenticate')
  const isThere = others.length < Object.keys(headers).length
  if (challenge === undefined) return Object.fromEntries(others)
  return isThere ? headers : { ...headers, 'WWW-Authenticate': challenge }
}

/** The members of a problem document that a change is about. What is none, of a host's function, has no such members. */
function reworded(body: string, { status, title, detail }: AnswerChange): string {
  let document: unknown
  try {
    document = JSON.parse(body)
  } catch {
    return body
  }
  if (!isRecord(document)) return body
  const members: Record<string, unknown> = { ...document }
  if (status !== undefined) members.status = status
  if (title !== undefined) members.title = title
  if (detail !== undefined) {
    members.detail = detail
    if ('message' in members) members.message = detail
    if (isObject(members.error)) members.error = { ...members.error, message: detail }
  }
  return JSON.stringify(members)
}

/** What a function of the host made of an answer. It may word a refusal, not turn it into an admission. */
function checked(answer: Answer): Answer {
  const { status, headers, body } = Object(answer) as Partial<Answer>
  if (isRefusal(status) && isObject(headers) && typeof body === 'string') return answer
  // A promise is heard out, so that its failure does not end the process.
  if (answer instanceof Promise) answer.catch(() => {})
  throw new KeywardError('CONFIG', `answers gave ${show(answer)}, no { status, headers, body } of a refusal`)
}

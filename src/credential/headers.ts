import { codeAt } from '../model/code-at.ts'
import { isObject } from '../model/is-object.ts'
import type { RequestFacts } from '../model/request.ts'

/** A header that is there more than once, or as something that is no single line of text. */
export const REPEATED = Symbol('repeated')

export type HeaderValue = string | undefined | typeof REPEATED

/** Node drops every header line after this many without a word: who sends so many may have hidden one. */
const MOST_HEADERS = 1000

interface Socket {
  readonly server?: { readonly maxHeadersCount?: number | null } | null
}

/** Whether lines may have been lost before we saw them. */
export function mayBeTruncated(facts: RequestFacts): boolean {
  const count = (rawLines(facts)?.length ?? 0) / 2
  return count >= MOST_HEADERS || (count > 0 && count >= mostTakenBy(facts))
}

/** The server may take fewer; none is stated by 0. */
function mostTakenBy({ connection, secure }: RequestFacts): number {
  const socket: Socket | null | undefined = connection ?? (secure as { readonly socket?: Socket } | undefined)?.socket
  return socket?.server?.maxHeadersCount || MOST_HEADERS
}

/** The raw lines, where there are any: an adapter may hand us anything in their place. */
function rawLines({ rawHeaders }: RequestFacts): readonly string[] | undefined {
  return Array.isArray(rawHeaders) && rawHeaders.length > 0 ? rawHeaders : undefined
}

/**
 * The one value of a header, without the white space around it. Lines are read raw where there are any, because Node
 * keeps only the first `Authorization` and joins two `X-API-Key`. A comma counts as a repetition: `fetch` joins too.
 * @param name in lower case
 */
export function singleHeader(facts: RequestFacts, name: string): HeaderValue {
  return onlyOne(singleLine(facts, name))
}

/** A line, unless it may be several. */
export function onlyOne(line: HeaderValue): HeaderValue {
  return typeof line === 'string' && line.includes(',') ? REPEATED : line
}

/** As `singleHeader`, with whatever commas are in it: other schemes than ours have them in one value. */
export function singleLine(facts: RequestFacts, name: string): HeaderValue {
  const raw = rawLines(facts)
  return raw === undefined ? fromMap(facts, name) : fromLines(raw, name)
}

/** Every line of a header in order, `undefined` where there is none: for lists, such as `X-Forwarded-For`. */
export function headerLines(facts: RequestFacts, name: string): string | undefined {
  const raw = rawLines(facts)
  if (raw === undefined) {
    const value = fromMap(facts, name)
    return value === REPEATED ? '' : value
  }
  let lines: string | undefined
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (isNamed(raw[i], name)) lines = lines === undefined ? `${raw[i + 1]}` : `${lines},${raw[i + 1]}`
  }
  return lines
}

function fromLines(lines: readonly string[], name: string): HeaderValue {
  let found: string | undefined
  for (let i = 0; i + 1 < lines.length; i += 2) {
    if (!isNamed(lines[i], name)) continue
    if (found !== undefined || typeof lines[i + 1] !== 'string') return REPEATED
    found = lines[i + 1]
  }
  return found === undefined ? undefined : trimBlanks(found)
}

function fromMap({ headers }: RequestFacts, name: string): HeaderValue {
  if (!isObject(headers)) return undefined
  if (isHeaders(headers)) return only(headers.get(name))
  let found: HeaderValue
  for (const key of Object.keys(headers)) {
    if (!isNamed(key, name)) continue
    const value = only(headers[key])
    if (value === undefined) continue
    if (found !== undefined) return REPEATED
    found = value
  }
  return found
}

function isHeaders(headers: object): headers is { get(name: string): unknown } {
  return 'get' in headers && typeof headers.get === 'function'
}

/** What an adapter or a serverless event gave for one header: text, or a list of exactly one text. */
function only(value: unknown): HeaderValue {
  const single = Array.isArray(value) && value.length === 1 ? value[0] : value
  if (typeof single === 'string') return trimBlanks(single)
  return single === undefined || single === null ? undefined : REPEATED
}

const spellings = new Map<string, string>()

/** As most clients spell a name, `X-Api-Key`: found to be that, it need not be compared letter by letter. */
function usual(name: string): string {
  const known = spellings.get(name)
  if (known !== undefined) return known
  const spelled = name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())
  spellings.set(name, spelled)
  return spelled
}

/** Header names differ in ASCII case only: `toLowerCase` would fold letters from elsewhere into them. */
function isNamed(candidate: string | undefined, name: string): boolean {
  if (typeof candidate !== 'string' || candidate.length !== name.length) return false
  if (candidate === name || candidate === usual(name)) return true
  for (let i = 0; i < name.length; i++) {
    const code = codeAt(candidate, i)
    if ((code >= 0x41 && code <= 0x5a ? code | 0x20 : code) !== codeAt(name, i)) return false
  }
  return true
}

/** Optional white space around a field value is not part of it (RFC 9110 section 5.5): spaces and tabs only. */
export function trimBlanks(value: string): string {
  let from = 0
  let to = value.length
  while (from < to && isBlank(codeAt(value, from))) from++
  while (to > from && isBlank(codeAt(value, to - 1))) to--
  return from === 0 && to === value.length ? value : value.slice(from, to)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

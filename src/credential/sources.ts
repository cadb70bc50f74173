import { codeAt } from '../model/code-at.ts'
import { KeywardError } from '../model/errors.ts'
import { isObject } from '../model/is-object.ts'
import { own } from '../model/own.ts'
import { show } from '../model/redact.ts'

/** What a source found: text, the halves of a pair, or nothing of its own. */
export type Found = string | { readonly key: string | undefined; readonly secret: string | undefined } | undefined

/**
 * A place where requests carry credentials. `bearer()`, `header()` and `pair()` make the usual ones. In a source of
 * your own, `read` is given the one value of each header that it names, trimmed, `undefined` where it is absent or
 * empty; whatever it answers but text or the halves of a pair is a refusal, and what it throws is your error.
 */
export interface Source {
  /** Lower-case header names: they go into `Vary`, and one that is repeated is refused. */
  readonly headers: readonly string[]
  read(values: readonly (string | undefined)[]): Found
  /** With `'ignore'`, a credential without any of our prefixes counts as no header. */
  readonly foreign?: 'ignore' | undefined
  /**
   * The scheme by which it reads `Authorization`, for a description of the API (OpenAPI): without it, each of its headers
   * is described as one that holds a key and nothing else.
   */
  readonly scheme?: 'bearer' | 'basic' | undefined
}

export interface SourceOptions {
  /** `'ignore'` leaves a credential without our prefix (a JWT) to whoever shares the header; alone it then counts as no header. */
  readonly foreign?: 'ignore'
}

/**
 * `Authorization: Bearer KEY` (RFC 6750 section 2.1). The scheme is matched without regard to case (RFC 9110 section 11.1).
 * @throws KeywardError `CONFIG` for an option that there is not
 */
export function bearer(options: SourceOptions = {}): Source {
  return { headers: ['authorization'], read: readBearer, foreign: foreignOf(options, 'bearer()'), scheme: 'bearer' }
}

/** A header name (RFC 9110 section 5.1). */
export const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/**
 * A header that holds the key and nothing else, such as `X-API-Key`.
 * @throws KeywardError `CONFIG` for what is no header name (RFC 9110 section 5.1), or an option that there is not
 */
export function header(name: string, options: SourceOptions = {}): Source {
  const headers = [fieldName(name, 'header(name)')]
  return { headers, read: readWhole, foreign: foreignOf(options, 'header(name, options)') }
}

const readBearer: Source['read'] = ([value]) => (value === undefined ? undefined : bearerToken(value))
const readWhole: Source['read'] = ([value]) => value

/** Whether a source reads one header, and the same in the same value whenever it is asked: a host's own may do as it likes. */
export function readsAlike({ read }: Source): boolean {
  return read === readBearer || read === readWhole
}

/**
 * The halves of a pair in two headers. Both are required.
 * @throws KeywardError `CONFIG` for what is no header name, or the same one twice
 */
export function pair(keyHeader: string, secretHeader: string): Source {
  const headers = [keyHeader, secretHeader].map((name) => fieldName(name, 'pair(keyHeader, secretHeader)'))
  if (headers[0] === headers[1]) throw new KeywardError('CONFIG', 'pair(): the two headers must differ')
  return { headers, read: ([key, secret]) => ({ key, secret }) }
}

function foreignOf(options: SourceOptions, usage: string): 'ignore' | undefined {
  const { foreign, ...more } = own(Object(options) as SourceOptions)
  const isKnown = isObject(options) && Object.keys(more).length === 0
  if (isKnown && (foreign === undefined || foreign === 'ignore')) return foreign
  throw new KeywardError('CONFIG', `${usage}: ${show(options)} is not { foreign?: 'ignore' }`)
}

function fieldName(name: string, usage: string): string {
  if (typeof name === 'string' && FIELD_NAME.test(name)) return name.toLowerCase()
  throw new KeywardError('CONFIG', `${usage}: ${show(name)} is no header name, such as 'x-api-key'`)
}

/**
 * The token behind the scheme, `undefined` for another scheme, empty where there is none. One or more spaces stand between (1*SP);
 * after any other white space the token is left malformed, for the format to refuse.
 */
export function bearerToken(value: string): string | undefined {
  if (!isBearer(value)) return undefined
  let from = 6
  while (codeAt(value, from) === 0x20) from++
  return value.slice(from)
}

/** Code by code: `toLowerCase` would fold letters from outside ASCII into these. */
function isBearer(value: string): boolean {
  for (let i = 0; i < 6; i++) if ((codeAt(value, i) | 0x20) !== codeAt('bearer', i)) return false
  return value.length === 6 || codeAt(value, 6) === 0x20 || codeAt(value, 6) === 0x09
}

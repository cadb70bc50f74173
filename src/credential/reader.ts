import type { KeyFormat } from '../key/format.ts'
import type { RequestFacts } from '../model/request.ts'
import { warnOnce } from '../model/warn.ts'
import { type HeaderValue, mayBeTruncated, onlyOne, REPEATED, singleHeader, singleLine, trimBlanks } from './headers.ts'
import { bearerToken, readsAlike, type Source } from './sources.ts'

/** A kind of keys, as far as reading them goes: one instance of those behind a guard. */
export interface Kind {
  /** How its keys are written, one for each prefix. */
  readonly formats: readonly KeyFormat[]
  /** Whether its keys come as key and secret. */
  readonly pair: boolean
  readonly sources: readonly Source[]
  /** What of its keys a connection carried before. */
  readonly carriedBefore?: (connection: object) => Presented | undefined
}

/** A credential that carries one of our prefixes; nothing else is known of it yet. */
export interface Presented {
  /** Which of the kinds it belongs to. */
  readonly kind: number
  readonly format: KeyFormat
  readonly key: string
  readonly secret: string | undefined
  /** The value that it was read from, where it is one header and always read alike. */
  readonly line: string | undefined
  /** By which it was read; a pair, and what came bare, has none. */
  readonly source: Source | undefined
}

/** Where to look: a source, and whose. */
interface Place {
  readonly kind: Kind
  readonly index: number
  readonly source: Source
  readonly readsAlike: boolean
}

/** Why there is no credential. `absent`: no source header is there at all. */
export type NoCredential =
  | 'absent'
  | 'missing_credentials'
  | 'invalid_key'
  | 'incomplete_credentials'
  | 'ambiguous_credentials'

type Reader = (facts: RequestFacts) => Presented | NoCredential

/** What is no credential of ours, the less telling first. A `half` of ours contradicts a whole key elsewhere. */
const LESSER = ['absent', 'missing_credentials', 'invalid_key', 'incomplete_credentials', 'half'] as const
type Lesser = (typeof LESSER)[number]

/** Reads requests for any of these kinds. Nothing here hashes, looks up or waits. */
export function createReader(kinds: readonly Kind[]): Reader {
  const places: readonly Place[] = kinds.flatMap((kind, index) =>
    kind.sources.map((source) => ({ kind, index, source, readsAlike: readsAlike(source) })),
  )
  const readsBearer = places.some(({ source }) => source.headers.includes('authorization'))

  return (facts) => {
    if (mayBeTruncated(facts)) return 'ambiguous_credentials'
    let presented: Presented | undefined
    let lesser: Lesser = 'absent'
    let halves = 0
    for (const place of places) {
      const line = singleLine(facts, place.source.headers[0] as string)
      const read = recogniseAgain(place, line, facts.connection) ?? recogniseIn(facts, line, kinds, place)
      if (read === undefined) continue
      if (read === REPEATED) return 'ambiguous_credentials'
      if (read === 'half') halves++
      if (typeof read === 'string') lesser = graver(lesser, read)
      else if (presented === undefined || same(presented, read)) presented = read
      else return 'ambiguous_credentials'
    }
    if (lesser !== 'half') return presented ?? lesser
    const contradicted = presented !== undefined || halves > 1 || (!readsBearer && hasBearer(kinds, facts))
    return contradicted ? 'ambiguous_credentials' : 'incomplete_credentials'
  }
}

/** A connection that is kept open carries the same line again: it is read as before. */
function recogniseAgain(place: Place, line: HeaderValue, connection: object | undefined): Presented | undefined {
  if (!place.readsAlike || connection === undefined || typeof line !== 'string') return undefined
  const before = place.kind.carriedBefore?.(connection)
  const isIt =
    before !== undefined && before.line === line && before.source === place.source && before.kind === place.index
  return isIt ? before : undefined
}

/** @returns `undefined` where none of the source's headers is there */
function recogniseIn(
  facts: RequestFacts,
  first: HeaderValue,
  kinds: readonly Kind[],
  place: Place,
): Presented | Lesser | typeof REPEATED | undefined {
  const values = look(facts, place.source, first)
  return values === undefined || values === REPEATED ? values : recognise(kinds, place, values)
}

/** The headers of a request that carry a key of any of these kinds, or half of one. */
export function carriersOf(kinds: readonly Kind[], facts: RequestFacts): readonly string[] {
  const found = kinds.flatMap((kind, index) =>
    kind.sources.filter((source) => {
      const line = singleLine(facts, source.headers[0] as string)
      const read = recogniseIn(facts, line, kinds, { kind, index, source, readsAlike: false })
      return typeof read === 'object' || read === 'half'
    }),
  )
  return [...new Set(found.flatMap(({ headers }) => headers))]
}

/**
 * Recognises a credential that the host holds in its hands.
 * @returns as a reader does, but never `absent`
 */
export function recogniseBare(kinds: readonly Kind[], key: unknown, secret: unknown): Presented | NoCredential {
  if (key === undefined || key === null || key === '') return secret ? 'incomplete_credentials' : 'missing_credentials'
  if (typeof key !== 'string' || (secret !== undefined && typeof secret !== 'string')) return 'invalid_key'
  for (let index = 0; index < kinds.length; index++) {
    const { pair } = kinds[index] as Kind
    const format = formatOf(kinds[index] as Kind, key)
    if (format === undefined) continue
    if (pair && !secret) return 'incomplete_credentials'
    return { kind: index, format, key, secret: pair ? secret : undefined, line: undefined, source: undefined }
  }
  return 'invalid_key'
}

/**
 * The values of a source's headers, an empty one as absent; `undefined` when none of the headers is there.
 * @param first the line of the first
 */
function look(
  facts: RequestFacts,
  source: Source,
  first: HeaderValue,
): readonly (string | undefined)[] | typeof REPEATED | undefined {
  const { headers } = source
  if (first === undefined && headers.length === 1) return undefined
  const values = new Array<string | undefined>(headers.length)
  let there = false
  for (let i = 0; i < headers.length; i++) {
    const value = onlyOne(i === 0 ? first : singleLine(facts, headers[i] as string))
    if (value === REPEATED) return isForeign(facts, source, headers[i] as string) ? undefined : REPEATED
    if (value !== undefined) there = true
    values[i] = value === '' ? undefined : value
  }
  return there ? values : undefined
}

/**
 * Whether an ignoring source leaves a value with commas to another scheme (`AWS4-HMAC-SHA256 Credential=…, …`). None of
 * its parts may be of the source's own: where lines were joined, one of them may hold a key.
 */
function isForeign(facts: RequestFacts, source: Source, name: string): boolean {
  if (source.foreign !== 'ignore' || source.headers.length !== 1) return false
  const line = singleLine(facts, name)
  return typeof line === 'string' && line.split(',').every((part) => source.read([trimBlanks(part)]) === undefined)
}

function recognise(kinds: readonly Kind[], place: Place, values: readonly (string | undefined)[]): Presented | Lesser {
  const { kind, index, source } = place
  const found = source.read(values)
  // A header that is there and empty is a variable that was not set: nobody's wish to be anonymous.
  if (found === '' || values.every((value) => value === undefined)) return 'missing_credentials'
  if (found === undefined) return source.foreign === 'ignore' ? 'absent' : 'missing_credentials'
  if (found instanceof Promise) return refuseLate(found)
  if (typeof found === 'string') {
    const format = formatOf(kind, found)
    if (format === undefined) return source.foreign === 'ignore' && !hides(kind, found) ? 'absent' : 'invalid_key'
    if (kind.pair) return 'half'
    const line = place.readsAlike ? values[0] : undefined
    return { kind: index, format, key: found, secret: undefined, line, source }
  }
  return recognisePair(kinds, kind, index, found)
}

/** Reading a request never waits. The promise is heard out, so that its failure does not end the process. */
function refuseLate(found: Promise<unknown>): 'invalid_key' {
  found.catch(() => {})
  warnOnce(
    'KEYWARD_ASYNC_SOURCE',
    'A source gave a promise, which counts as a bad key: what it reads has to be there with the request.',
  )
  return 'invalid_key'
}

function recognisePair(kinds: readonly Kind[], kind: Kind, index: number, found: unknown): Presented | Lesser {
  const { key, secret } = Object(found) as { key: unknown; secret: unknown }
  if (!isText(key) || !isText(secret)) return 'invalid_key'
  if (key === undefined) {
    if (secret === undefined) return 'missing_credentials'
    // The secret of another service contradicts nothing.
    return formatOf(kind, secret) === undefined ? 'incomplete_credentials' : 'half'
  }
  const format = formatOf(kind, key)
  if (format !== undefined) {
    if (!kind.pair) return { kind: index, format, key, secret: undefined, line: undefined, source: undefined }
    return secret === undefined ? 'half' : { kind: index, format, key, secret, line: undefined, source: undefined }
  }
  if (kinds.some((other) => formatOf(other, key) !== undefined)) return 'invalid_key'
  return secret === undefined ? 'incomplete_credentials' : 'invalid_key'
}

function isText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

function formatOf({ formats }: Kind, text: string): KeyFormat | undefined {
  // Not by `startsWith`, which on Node 20 takes twice as long.
  for (const format of formats) if (text.slice(0, format.prefix.length) === format.prefix) return format
  return undefined
}

/** Whether a text that is no key of ours has one in it, behind blanks or in quotes: nobody else's token has either. */
function hides(kind: Kind, text: string): boolean {
  return text.split(/[\s"'=]+/).some((part) => formatOf(kind, part) !== undefined)
}

function graver(a: Lesser, b: Lesser): Lesser {
  return LESSER.indexOf(a) >= LESSER.indexOf(b) ? a : b
}

function same(a: Presented, b: Presented): boolean {
  return a.kind === b.kind && a.key === b.key && a.secret === b.secret
}

/** Half a pair beside a bearer key of ours was put together from two places, whether or not bearer is a source here. */
function hasBearer(kinds: readonly Kind[], facts: RequestFacts): boolean {
  const value = singleHeader(facts, 'authorization')
  const token = typeof value === 'string' ? bearerToken(value) : undefined
  return token !== undefined && kinds.some((kind) => formatOf(kind, token) !== undefined)
}

import { Buffer } from 'node:buffer'
import { isRecord } from '../../model/is-object.ts'
import type { StoredKey, StoredLimit } from '../../model/key.ts'
import { NAMED_WINDOWS, type WindowName } from '../../model/limits.ts'

/** What a record says of a key beside its meta; whatever else there is goes along. */
export type Data = Pick<StoredKey, 'hash' | 'scopes' | 'limits'>

/** A digest in hexadecimal digits, behind its scheme. */
const DIGEST = /^(.*\$)([0-9a-f]{64})$/

/**
 * As JSON in few characters: what nearly every key has goes by its place and not by its name, a digest as base64url
 * behind its scheme, and the limit of a window that has its usual length as a number. It makes a record a third smaller.
 */
export function writeData({ hash, scopes, limits, ...rest }: Data): string {
  const [, scheme, digest] = DIGEST.exec(hash) ?? []
  const shortHash = digest === undefined ? hash : [scheme, Buffer.from(digest, 'hex').toString('base64url')]
  const line: unknown[] = [shortHash, scopes]
  const hasMore = Object.keys(rest).length > 0
  if (limits !== undefined || hasMore) line.push(limits === undefined ? null : mapValues(limits, shortLimit))
  if (hasMore) line.push(rest)
  return JSON.stringify(line)
}

/** The data in what `writeData` wrote; `undefined` for what it cannot have written. */
export function readData(line: unknown): Data | undefined {
  if (!Array.isArray(line) || line.length < 2 || line.length > 4) return undefined
  const [hash, scopes, limits, rest = {}] = line as readonly unknown[]
  if (!isRecord(rest) || !isRecord(limits ?? {})) return undefined
  return {
    hash: Array.isArray(hash) ? `${hash[0]}${Buffer.from(String(hash[1]), 'base64url').toString('hex')}` : hash,
    scopes,
    ...(isRecord(limits) && { limits: mapValues(limits, wholeLimit) }),
    ...rest,
  } as Data
}

function shortLimit(name: string, limit: StoredLimit): unknown {
  return limit !== null && limit.ms === lengthOf(name) ? limit.limit : limit
}

function wholeLimit(name: string, limit: unknown): unknown {
  return typeof limit === 'number' ? { limit, ms: lengthOf(name) } : limit
}

function lengthOf(name: string): number | undefined {
  return Object.hasOwn(NAMED_WINDOWS, name) ? NAMED_WINDOWS[name as WindowName] : undefined
}

function mapValues<T>(values: object, change: (name: string, value: T) => unknown): object {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(name, value)]))
}

import { Buffer } from 'node:buffer'
import { KeywardError } from '../../model/errors.ts'
import type { StoredKey } from '../../model/key.ts'
import { own } from '../../model/own.ts'
import { escapeText, unescapeText } from '../escaping.ts'
import { type Data, readData, writeData } from './data.ts'

/** The most that the text of one record may have, bytes: no limit of Keyward's own comes near it. */
const LARGEST = 131_072

/**
 * What scripts look at and what bulk changes write, as JSON: as far as something is said, and when it was updated only if
 * it was. Numbers are text: Lua would write them with 14 digits.
 * `token` is that of the claim on the unique name.
 */
export interface Meta {
  readonly status: StoredKey['status']
  readonly owner: string
  readonly prefix: string
  readonly resource: string | undefined
  readonly createdAt: number
  readonly updatedAt: number
  readonly revokedAt: number | undefined
  readonly revokedReason: string | undefined
  readonly uniqueName: string | undefined
  readonly token: string | undefined
  /** When the key's own balance began. */
  readonly opened: number | undefined
}

/** Version, meta and data, each a line of a record. @throws KeywardError `INPUT` for a key that is too large */
export function toLines(key: StoredKey, token: string | undefined): readonly [string, string, string] {
  // Those that a key need not have come first: what is left of a list of members has a prototype.
  const { resource, uniqueName, revokedAt, revokedReason, lastUsedAt: _, uses: __, ...others } = key
  const { id: ___, version, prefix, owner, status, createdAt, updatedAt, ...rest } = others
  const times = [createdAt, updatedAt === createdAt ? undefined : updatedAt, revokedAt]
  const meta = [status, owner, prefix, resource, ...times, revokedReason, uniqueName, token, key.credits?.opened]
  const said = meta.slice(0, meta.findLastIndex((value) => value !== undefined) + 1)
  const text = said.map((value) => (value === undefined ? null : escapeText(String(value))))
  const data = writeData(own(rest))
  const size = Buffer.byteLength(data)
  if (size > LARGEST) {
    const message = `must not take more than ${LARGEST} bytes as JSON, not ${size}`
    throw new KeywardError('INPUT', `a key ${message}`, { issues: [{ path: '', message }] })
  }
  return [String(version), JSON.stringify(text), data]
}

/** The answer of FIND, as a key; `undefined` where there was none. @throws KeywardError `STORE` for a damaged record */
export function toKey(id: string, answer: unknown): StoredKey | undefined {
  const lines = linesOf(id, answer)
  if (lines === undefined) return undefined
  const [version, marks, meta, data] = lines
  const { status, owner, prefix, createdAt, updatedAt, resource, uniqueName, revokedAt, revokedReason } = toMeta(
    id,
    meta,
  )
  const [at, count] = marksOf(marks)
  return {
    ...dataOf(id, data),
    id,
    version: whole(id, version),
    prefix,
    owner,
    status,
    createdAt,
    updatedAt,
    ...(resource !== undefined && { resource }),
    ...(uniqueName !== undefined && { uniqueName }),
    ...(revokedAt !== undefined && { revokedAt }),
    ...(revokedReason !== undefined && { revokedReason }),
    ...(at !== undefined && { lastUsedAt: at }),
    ...(count !== undefined && { uses: count }),
  }
}

/** What a change has to know of what it changes. */
export function toVersionAndMeta(id: string, answer: unknown): { version: number; meta: Meta } | undefined {
  const lines = linesOf(id, answer)
  return lines && { version: whole(id, lines[0]), meta: toMeta(id, lines[2]) }
}

export function toMeta(id: string, text: string): Meta {
  const values = parse(id, text)
  if (!Array.isArray(values) || values.length > 11) throw damaged(id)
  const [status, owner, prefix, resource, created, updated, revoked, revokedReason, uniqueName, token, opened] =
    values.map((value) => (typeof value === 'string' ? unescapeText(value) : undefined))
  if (status !== 'active' && status !== 'disabled' && status !== 'revoked') throw damaged(id)
  if (owner === undefined || prefix === undefined) throw damaged(id)
  const [createdAt, updatedAt] = [whole(id, created), whole(id, updated ?? created)]
  const revokedAt = revoked === undefined ? undefined : whole(id, revoked)
  const place = { status, owner, prefix, resource, createdAt, updatedAt } as const
  return {
    ...place,
    revokedAt,
    revokedReason,
    uniqueName,
    token,
    opened: opened === undefined ? undefined : whole(id, opened),
  }
}

/** The error names the id alone: the text beside it holds the hash. */
function damaged(id: string): KeywardError {
  return new KeywardError('STORE', `the record of ${id} is damaged`)
}

type Lines = readonly [version: string, marks: string, meta: string, data: string]

/** As `RECORD` says; `undefined` where there is no record. */
function linesOf(id: string, answer: unknown): Lines | undefined {
  if (answer === null || answer === undefined) return undefined
  const [version = '', marks = '', meta = '', data, ...more] = String(answer).split('\n')
  if (data === undefined || more.length > 0) throw damaged(id)
  return [version, marks, meta, data]
}

function dataOf(id: string, text: string): Data {
  const data = readData(parse(id, text))
  if (data === undefined) throw damaged(id)
  return data
}

function parse(id: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw damaged(id)
  }
}

function whole(id: string, text: string | undefined): number {
  const number = Number(text)
  if (text === undefined || text === '' || !Number.isFinite(number)) throw damaged(id)
  return number
}

/** The last use and how many, as TOUCH writes them. */
function marksOf(text: string): readonly (number | undefined)[] {
  return text === '' ? [] : text.split(':').map(Number)
}

import { Buffer } from 'node:buffer'
import { flawedAt, type KeywardError } from '../model/errors.ts'

/** Where a key stands in a list: they go by `createdAt`, then `id`. */
export interface Place {
  readonly createdAt: number
  readonly id: string
}

/** Opaque text from which `readCursor` knows the last key of a page. */
export function cursorAfter({ createdAt, id }: Place): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url')
}

/** Where a page begins, if not at the first. @throws KeywardError `INPUT` for what `cursorAfter` did not make */
export function readCursor(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined
  const place = parse(Buffer.from(cursor, 'base64url').toString())
  // Node's decoder overlooks what is not base64url: only what it would write itself is a cursor.
  if (place === undefined || cursorAfter(place) !== cursor) throw nonsense()
  return place
}

/** The same for a store that keeps times as whole numbers. */
export function readWholeCursor(cursor: string | undefined): Place | undefined {
  const place = readCursor(cursor)
  if (place === undefined || Number.isInteger(place.createdAt)) return place
  throw nonsense()
}

/** By time, then by id. */
export function isEarlier(a: Place, b: Place): boolean {
  return a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.id < b.id)
}

function parse(text: string): Place | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (!Array.isArray(value) || value.length !== 2) return undefined
    const [createdAt, id] = value as readonly unknown[]
    // No time is as large as what a database may stumble over.
    const isTime = typeof createdAt === 'number' && Math.abs(createdAt) <= Number.MAX_SAFE_INTEGER
    return isTime && typeof id === 'string' ? { createdAt, id } : undefined
  } catch {
    return undefined
  }
}

function nonsense(): KeywardError {
  return flawedAt('INPUT', 'cursor', 'is not the cursor of an earlier page')
}

import { createHash } from 'node:crypto'
import type { KeyRecord } from '../../model/key.ts'

/** A tag of what can be changed of a key: it does not change with uses, balances, and the passing of time. */
export function etagOf(record: KeyRecord): string {
  const { lastUsedAt: _, uses: __, previousSecretUntil: ___, credits, status, ...settings } = record
  const state = status === 'expired' ? 'active' : status
  const text = JSON.stringify([settings, state, credits?.refill])
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
}

/** What `If-Match` asks of a record, and whether it was found wanting. */
export interface Precondition {
  readonly when: (record: KeyRecord) => boolean
  readonly failed: () => boolean
}

/** @returns `undefined` where nothing is asked. A weak tag never matches (RFC 9110 section 13.1.1) */
export function preconditionOf(headers: Headers): Precondition | undefined {
  const asked = headers.get('if-match')
  if (asked === null) return undefined
  const tags = asked.split(',').map((tag) => tag.trim())
  let failed = false
  return {
    when(record) {
      failed = !tags.includes('*') && !tags.includes(etagOf(record))
      return !failed
    },
    failed: () => failed,
  }
}

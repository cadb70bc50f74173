import { createHash } from 'node:crypto'
import { randomBase62 } from '../key/base62.ts'
import { ID_LENGTH } from '../key/format.ts'
import { flawedAt, KeywardError } from '../model/errors.ts'
import type { StoredKey } from '../model/key.ts'
import type { Draft } from './input.ts'
import type { Office } from './office.ts'

/** What makes a creation happen once on a store: it can only be made under one id, and says what it was asked for. */
export interface Once {
  readonly id: string
  readonly origin: string
}

/** Nothing of it is kept that gives the idempotency key back, and nothing at all of the text of the key. */
export function onceFor(office: Office, draft: Draft, idempotencyKey: string | undefined): Once | undefined {
  if (idempotencyKey === undefined) return undefined
  const seed = JSON.stringify([office.prefixes.oldest, draft.owner, idempotencyKey])
  let round = 0
  return {
    id: randomBase62(ID_LENGTH, (size) => digest(`${round++} ${seed}`).subarray(0, size)),
    origin: digest(JSON.stringify([seed, draft])).toString('base64url'),
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** @returns the error of a creation whose id is taken: by what it made before, or by what another one made */
export function madeBefore(found: StoredKey, { id, origin }: StoredKey): KeywardError {
  if (found.origin === origin) return new KeywardError('CONFLICT', 'the key was made before', { id })
  return flawedAt('CONFLICT', 'idempotencyKey', 'was used for another key')
}

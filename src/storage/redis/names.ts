import { randomBytes } from 'node:crypto'
import { KeywardError } from '../../model/errors.ts'
import { escapeText, unescapeText } from '../escaping.ts'
import type { Run } from './connection.ts'
import type { Names } from './keys.ts'
import { toVersionAndMeta } from './records.ts'
import { CLAIM, FIND, FREE } from './scripts.ts'

/**
 * How long after its index entries and its name were written a record may follow, and when a claim or an entry without
 * a record is void, ms. What lies between them is more than the clocks of a Cluster's nodes differ.
 */
export const RECORD_WITHIN = 10_000
export const VOID_AFTER = 30_000

const ATTEMPTS = 5

interface Claim {
  readonly token: string
  /** By the server's clock, ms. */
  readonly at: number
}

/**
 * Claims a unique name for a key before its record is written. A claim holds while a record has its token, or while one
 * may still follow. @throws KeywardError `CONFLICT`
 */
export async function claimName(run: Run, names: Names, uniqueName: string, id: string): Promise<Claim> {
  const token = randomBytes(12).toString('base64url')
  let instead = ''
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const answer = await run(CLAIM, [names.claim(uniqueName)], [`${token}|${escapeText(id)}`, instead])
    const [at, standing] = answer as readonly unknown[]
    if (standing === undefined || standing === null) return { token, at: Number(at) }
    instead = String(standing)
    if (await holds(run, names, instead, Number(at))) break
  }
  throw new KeywardError('CONFLICT', 'the name is taken')
}

/** Frees what a claim with this token holds; another's claim stays. A name that could not be freed is void in time. */
export async function freeName(run: Run, names: Names, uniqueName: string, token: string): Promise<void> {
  await run(FREE, [names.claim(uniqueName)], [token]).catch(() => {})
}

async function holds(run: Run, names: Names, claim: string, now: number): Promise<boolean> {
  const [since = '', token, ...rest] = claim.split('|')
  const id = unescapeText(rest.join('|'))
  const found = toVersionAndMeta(id, await run(FIND, [names.record(id)]))
  if (found !== undefined && found.meta.token === token) return true
  return now - Number(since) < VOID_AFTER
}

import { randomBytes } from 'node:crypto'
import { sha256Hex } from '../hash/digest.ts'
import { equalDigests } from '../hash/equal.ts'
import type { Awaitable } from '../model/awaitable.ts'
import type { Hasher } from '../model/hasher.ts'
import type { Known } from './known.ts'

/** Which of a key's secrets a text is. */
export type Secret = 'current' | 'previous' | undefined

/** Tells which secret of a key a text proves. `now` decides whether the previous one still counts. */
export type SecretCheck = (known: Known, text: string, now: number) => Awaitable<Secret>

/**
 * A scheme that costs more than one digest is computed once per key: what was proved is remembered as a digest under
 * a salt of this process, which is worth nothing elsewhere and does not hold the text.
 */
export function secretCheck(hasher: Hasher): SecretCheck {
  if (hasher.cheap) return (known, text, now) => compare(hasher, known, text, now)
  const salt = randomBytes(12).toString('hex')
  return (known, text, now) => {
    const digest = sha256Hex(salt + text)
    const remembered = recall(known, digest, now)
    if (remembered !== undefined) return remembered
    const secret = compare(hasher, known, text, now)
    return secret instanceof Promise
      ? secret.then((found) => remember(known, digest, found))
      : remember(known, digest, secret)
  }
}

function recall(known: Known, digest: string, now: number): Secret {
  if (known.proof !== undefined && equalDigests(digest, known.proof)) return 'current'
  const replaced = known.previousProof !== undefined && equalDigests(digest, known.previousProof)
  return replaced && overlaps(known, now) ? 'previous' : undefined
}

function remember(known: Known, digest: string, secret: Secret): Secret {
  if (secret === 'current') known.proof = digest
  if (secret === 'previous') known.previousProof = digest
  return secret
}

function compare(hasher: Hasher, known: Known, text: string, now: number): Awaitable<Secret> {
  const current = hasher.check(text, known.stored.hash)
  if (current === true) return 'current'
  if (current === false) return comparePrevious(hasher, known, text, now)
  return current.then((matches) => (matches ? 'current' : comparePrevious(hasher, known, text, now)))
}

function comparePrevious(hasher: Hasher, known: Known, text: string, now: number): Awaitable<Secret> {
  const { previous } = known.stored
  if (previous === undefined || !overlaps(known, now)) return undefined
  const matches = hasher.check(text, previous.hash)
  return matches instanceof Promise
    ? matches.then((yes) => (yes ? 'previous' : undefined))
    : matches
      ? 'previous'
      : undefined
}

function overlaps({ stored: { previous } }: Known, now: number): boolean {
  return previous !== undefined && now < previous.until
}

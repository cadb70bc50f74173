import type { Presented } from '../credential/reader.ts'
import type { Attempt } from './attempt.ts'
import type { Found } from './found.ts'

/** What a connection proved, and of which version of a key it is the secret. */
export interface Proof {
  readonly presented: Presented
  readonly id: string
  readonly version: number
  readonly hash: string | undefined
}

/** What connections proved: a client that keeps one open is hashed once, and again after any change of its key. */
export interface Proofs {
  /** What a connection last proved. */
  last(connection: object): Presented | undefined
  /** What this very text proved before, on this connection. */
  of(connection: object, presented: Presented): Proof | undefined
  /** Remembers with its connection that the text of an attempt was found to be the secret of a key. */
  keep(attempt: Attempt, connection: object, found: Found): void
}

/** On a connection that carries the keys of many, as a proxy's does, to remember one would be work for nothing. */
const SHARED = 'shared'

export function createProofs(): Proofs {
  // A WeakMap, though requests have theirs as a member: a connection lives long, so that an entry costs little.
  const kept = new WeakMap<object, Proof | typeof SHARED>()
  return { last, of, keep }

  function last(connection: object): Presented | undefined {
    const proof = kept.get(connection)
    return proof === undefined || proof === SHARED ? undefined : proof.presented
  }

  function of(connection: object, presented: Presented): Proof | undefined {
    const proof = kept.get(connection)
    return proof === undefined || proof === SHARED || !isSame(proof.presented, presented) ? undefined : proof
  }

  function keep({ presented, proof }: Attempt, connection: object, found: Found): void {
    if (proof !== undefined && proves(proof, found)) return
    const before = kept.get(connection)
    if (before === SHARED) return
    const isItsOwn = before === undefined || isSame(before.presented, presented)
    const { id, version, hashes } = found
    kept.set(connection, isItsOwn ? { presented, id, version, hash: hashes[0] } : SHARED)
  }
}

/**
 * Whoever shares a connection could time this comparison, but not the text out of it: the engine compares eight bytes at
 * a time, so only who guesses eight characters at once would learn that they are right.
 */
function isSame(a: Presented, b: Presented): boolean {
  return a === b || (a.key === b.key && a.secret === b.secret)
}

/** Whether a proof still is one: nothing of the record has changed since. */
export function proves(proof: Proof, { id, version, hashes }: Found): boolean {
  return proof.id === id && proof.version === version && proof.hash === hashes[0]
}

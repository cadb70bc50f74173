import type { Presented } from '../credential/reader.ts'
import type { Attempt } from './attempt.ts'
import type { Found } from './found.ts'

/** The text that a connection proved, and of which version of a key it is the secret. */
export interface Proof {
  readonly key: string
  /** Of a pair. */
  readonly secret: string | undefined
  readonly id: string
  readonly version: number
  readonly hash: string | undefined
}

/** What connections proved: a client that keeps one open is hashed once, and again after any change of its key. */
export interface Proofs {
  /** What this very text proved before, on this connection. */
  of(connection: object, presented: Presented): Proof | undefined
  /** Remembers with its connection that the text of an attempt was found to be the secret of a key. */
  keep(attempt: Attempt, connection: object, found: Found): void
}

/** On a connection that carries the keys of many, as a proxy's does, to remember one would be work for nothing. */
const SHARED = 'shared'

export function createProofs(): Proofs {
  // A WeakMap, though requests have theirs as a member: a connection lives long, and one that carries a member of ours is
  // another kind of object to the engine, which then reads whatever Node looks at on it more slowly.
  const kept = new WeakMap<object, Proof | typeof SHARED>()
  return { of, keep }

  function of(connection: object, { key, secret }: Presented): Proof | undefined {
    const proof = kept.get(connection)
    if (proof === undefined || proof === SHARED) return undefined
    return proof.key === key && proof.secret === secret ? proof : undefined
  }

  function keep({ presented, proof }: Attempt, connection: object, found: Found): void {
    if (proof !== undefined && proves(proof, found)) return
    const before = kept.get(connection)
    if (before === SHARED) return
    const isItsOwn = before === undefined || of(connection, presented) !== undefined
    kept.set(connection, isItsOwn ? proofOf(presented, found) : SHARED)
  }
}

function proofOf({ key, secret }: Presented, { id, version, hashes }: Found): Proof {
  return { key, secret, id, version, hash: hashes[0] }
}

/** Whether a proof still is one: nothing of the record has changed since. */
export function proves(proof: Proof, { id, version, hashes }: Found): boolean {
  return proof.id === id && proof.version === version && proof.hash === hashes[0]
}

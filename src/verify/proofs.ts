import type { Presented } from '../credential/reader.ts'
import type { Attempt } from './attempt.ts'
import type { Found } from './found.ts'

/** What a connection proved, and of which version of a key it is the secret: presented again, it is known by itself. */
export class Proof implements Presented {
  readonly kind: number
  readonly format: Presented['format']
  readonly key: string
  readonly secret: string | undefined
  readonly line: string | undefined
  readonly source: Presented['source']
  /** As it was found last. */
  found: Found

  constructor({ kind, format, key, secret, line, source }: Presented, found: Found) {
    this.kind = kind
    this.format = format
    this.key = key
    this.secret = secret
    this.line = line
    this.source = source
    this.found = found
  }
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

  function last(connection: object): Proof | undefined {
    const proof = kept.get(connection)
    return proof === SHARED ? undefined : proof
  }

  function of(connection: object, presented: Presented): Proof | undefined {
    if (presented instanceof Proof) return presented
    const proof = last(connection)
    return proof !== undefined && isSame(proof, presented) ? proof : undefined
  }

  function keep({ presented, proof }: Attempt, connection: object, found: Found): void {
    if (proof !== undefined && proves(proof, found)) {
      proof.found = found
      return
    }
    const before = kept.get(connection)
    if (before === SHARED) return
    const isItsOwn = before === undefined || isSame(before, presented)
    kept.set(connection, isItsOwn ? new Proof(presented, found) : SHARED)
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
export function proves({ found: before }: Proof, found: Found): boolean {
  if (before === found) return true
  return before.id === found.id && before.version === found.version && before.hashes[0] === found.hashes[0]
}

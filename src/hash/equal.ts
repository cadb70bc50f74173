/** Where a digest stands among others, or -1. All are looked at, whichever is the one. */
export function indexOfDigest(digest: string, others: readonly string[]): number {
  let found = -1
  for (let i = 0; i < others.length; i++) if (equalDigests(digest, others[i] as string)) found = i
  return found
}

/**
 * Whether two digests are the same, in time that depends on their length alone. Every character is looked at
 * whatever the earlier ones said; digests are compared as text because making Buffers of them costs more than
 * the hash itself.
 */
export function equalDigests(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}

import { randomBytes } from './base62.ts'

type Random = (size: number) => Uint8Array

/**
 * Where a record's version begins: anywhere, so that an id that comes back is not mistaken for its forerunner. Of 30 bits,
 * which engines keep in the place of a pointer: a larger number takes room of its own.
 */
export function firstVersion(random: Random): number {
  return (numberOf(randomBytes(4, random)) >>> 2) + 1
}

/**
 * A version after this one, 2 to 4,097 further: a write that was lost, as a server that fails over may lose the last ones,
 * and the one that was made in its place are not taken for each other. Never 1, which is how far stores go by themselves
 * (`revokeWhere`). After some hundred changes it is still far from where another key's versions would be: windows that are
 * counted in a process tell by that whose they are. Numbers end after 2^41 changes.
 */
export function nextVersion(version: number, random: Random): number {
  return version + (numberOf(randomBytes(2, random)) & 0xfff) + 2
}

function numberOf(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => (value << 8) | byte, 0)
}

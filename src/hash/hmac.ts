import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { flawedAt, type KeywardError } from '../model/errors.ts'
import type { Hasher } from '../model/hasher.ts'
import { isObject } from '../model/is-object.ts'
import { PACKED } from './digest.ts'
import { digestsIn, indexOfDigest } from './kept-digests.ts'
import { oncePerList } from './once-per-list.ts'

export interface HmacOptions {
  /** The version that makes new hashes; keys kept under another are upgraded when they are next used. */
  readonly current: string
  /**
   * Peppers by version (1 to 15 of `[A-Za-z0-9_-]`): at least 16 random bytes each, kept outside the database.
   * Text counts as UTF-8. Longer than 64 bytes equals its own SHA-256 (RFC 2104 section 2). Keep a version for as
   * long as a stored key uses it.
   */
  readonly peppers: Readonly<Record<string, string | Uint8Array>>
}

/** Shorter than any pepper: one that was put in the place of its version is not printed. */
const VERSION = /^[A-Za-z0-9_-]{1,15}$/
const SHORTEST = 16
const PLACEHOLDER = /change.?me|placeholder|password|insert.?here/i
const NOBODY = [new Uint16Array(16)]

/**
 * Keeps keys as HMAC-SHA-256 (RFC 2104) under a pepper: a leaked database alone is worth nothing.
 * @throws KeywardError `CONFIG` for a missing, short, guessable or repeated pepper, an unknown current version or option
 */
export function hmac(options: HmacOptions): Hasher {
  if (!isObject(options)) throw refuse('options', 'must be { current, peppers }')
  const { current: version, peppers: _, ...more } = options
  const [unknown] = Object.keys(more)
  if (unknown !== undefined) throw refuse(unknown, 'is no option (current, peppers)')
  const peppers = compilePeppers(options)
  const current = peppers.get(version)
  if (current === undefined) throw refuse('current', 'must name one of the peppers')
  const start = `hmac$${version}$`

  const trials = oncePerList((kept) => {
    const known = versionsIn(kept).filter((each) => peppers.has(each))
    // What no pepper of ours made costs what an unknown key costs.
    const versions = known.length === 0 ? [version] : known
    return versions.map((each) => ({
      pepper: peppers.get(each) as KeyObject,
      digests: digestsIn(kept, `hmac$${each}$`),
    }))
  })

  return {
    scheme: 'hmac',
    cheap: false,
    make: (text) => start + digest(current, text, 'hex'),
    check(text, kept) {
      let found = -1
      for (const { pepper, digests } of trials(kept)) {
        found = Math.max(found, indexOfDigest(digest(pepper, text, PACKED), digests))
      }
      return found
    },
    knows: (kept) => trials([kept]).some(({ digests }) => digests[0] !== undefined),
    outdated: (kept) => !kept.startsWith(start),
    waste(text) {
      indexOfDigest(digest(current, text, PACKED), NOBODY)
    },
  }
}

/** The peppers that kept hashes need, each once. */
function versionsIn(kept: readonly string[]): readonly string[] {
  const versions = kept.map((hash) => (hash.startsWith('hmac$') ? (hash.split('$')[1] ?? '') : ''))
  return [...new Set(versions)]
}

function digest(pepper: KeyObject, text: string, encoding: 'hex' | 'binary'): string {
  return createHmac('sha256', pepper).update(text).digest(encoding)
}

function compilePeppers({ peppers }: HmacOptions): ReadonlyMap<string, KeyObject> {
  if (!isObject(peppers)) throw refuse('peppers', 'must be an object of versions')
  const compiled = new Map<string, KeyObject>()
  for (const [version, pepper] of Object.entries(peppers)) {
    if (!VERSION.test(version)) throw refuse('peppers', 'must have versions of 1 to 15 letters, digits, _ and -')
    const key = createSecretKey(pepperBytes(`peppers.${version}`, pepper))
    const twin = [...compiled].find(([, other]) => other.equals(key))
    if (twin !== undefined) throw refuse(`peppers.${version}`, `must differ from ${twin[0]}`)
    compiled.set(version, key)
  }
  if (compiled.size === 0) throw refuse('peppers', 'must hold at least one')
  return compiled
}

function pepperBytes(path: string, pepper: unknown): Buffer {
  if (typeof pepper !== 'string' && !(pepper instanceof Uint8Array)) throw refuse(path, 'must be text or bytes')
  const bytes = typeof pepper === 'string' ? Buffer.from(pepper, 'utf8') : Buffer.from(pepper)
  if (typeof pepper === 'string' && bytes.toString('utf8') !== pepper) throw refuse(path, 'must be well-formed text')
  if (bytes.length < SHORTEST) throw refuse(path, `must be at least ${SHORTEST} bytes`)
  // HMAC pads a short key with NUL bytes: `P` and `P\0` would be one pepper under two names.
  if (bytes.at(-1) === 0) throw refuse(path, 'must not end with a NUL byte')
  if (new Set(bytes).size < SHORTEST / 2 || PLACEHOLDER.test(bytes.toString('binary'))) {
    throw refuse(path, 'must be random, such as `openssl rand -base64 32` prints')
  }
  return bytes
}

/** A pepper is never part of the message. */
function refuse(path: string, rule: string): KeywardError {
  return flawedAt('CONFIG', path, rule, 'hmac(): ')
}

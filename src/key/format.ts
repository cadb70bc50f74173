import { CHECKSUM_LENGTH, checksum, crcOver, isSealed } from './checksum.ts'

export const ID_LENGTH = 12
export const SECRET_LENGTH = 32
/** What marks the secret half of a pair, so that a scanner can tell it from the key half. */
const SECRET_MARK = 'sec_'

const KEY_BODY = ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH
const PAIR_KEY_BODY = ID_LENGTH + CHECKSUM_LENGTH
const PAIR_SECRET_BODY = SECRET_LENGTH + CHECKSUM_LENGTH

/** How the keys of one prefix are written. Everything is parsed from the right, so a prefix may hold any underscores. */
export interface KeyFormat {
  readonly prefix: string
  /**
   * The id in a well-formed key, or in a well-formed pair; `undefined` for anything else.
   * @param key what begins with the prefix
   */
  idOf(key: string, secret: string | undefined): string | undefined
}

/** A plain key is prefix + id + secret + checksum: the checksum covers all before it. */
export function plainFormat(prefix: string): KeyFormat {
  const isKey = shape(prefix, KEY_BODY)
  return { prefix, idOf: (key) => (isKey(key) ? key.slice(prefix.length, prefix.length + ID_LENGTH) : undefined) }
}

/** A pair is prefix + id + checksum, and prefix + `sec_` + secret + checksum. */
export function pairFormat(prefix: string): KeyFormat {
  const isKey = shape(prefix, PAIR_KEY_BODY)
  const secretStart = prefix + SECRET_MARK
  const isSecret = shape(secretStart, PAIR_SECRET_BODY)
  return {
    prefix,
    idOf(key, secret = '') {
      if (!isKey(key) || !secret.startsWith(secretStart) || !isSecret(secret)) return undefined
      return key.slice(prefix.length, prefix.length + ID_LENGTH)
    },
  }
}

/** The check that `bodyLength` base62 characters, whose last six are the checksum, follow a start that is known to be there. */
function shape(start: string, bodyLength: number): (text: string) => boolean {
  const length = start.length + bodyLength
  const state = crcOver(start)
  return (text) => text.length === length && isSealed(text, start.length, state)
}

/** The issued text of a key. */
export interface KeyText {
  readonly key: string
  /** The other half of a pair. */
  readonly secret?: string
}

export function writeKey(prefix: string, id: string, secret: string): KeyText {
  return { key: withChecksum(prefix + id + secret) }
}

export function writePair(prefix: string, id: string, secret: string): KeyText {
  return { key: withChecksum(prefix + id), secret: withChecksum(prefix + SECRET_MARK + secret) }
}

function withChecksum(text: string): string {
  return text + checksum(text)
}

/** What is hashed: the whole text, of both halves where there are two. */
export function hashedText(key: string, secret: string | undefined): string {
  return secret === undefined ? key : key + secret
}

/** What may be shown and logged of a key. */
export function display(prefix: string, id: string): string {
  return `${prefix}${id}…`
}

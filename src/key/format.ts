import { isBase62 } from './base62.ts'
import { CHECKSUM_LENGTH, CRC_START, checksum, crcOver, spells } from './checksum.ts'

export const ID_LENGTH = 12
export const SECRET_LENGTH = 32
/** What marks the secret half of a pair, so that a scanner can tell it from the key half. */
export const SECRET_MARK = 'sec_'

const KEY_BODY = ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH
const PAIR_KEY_BODY = ID_LENGTH + CHECKSUM_LENGTH
const PAIR_SECRET_BODY = SECRET_LENGTH + CHECKSUM_LENGTH

/** How the keys of one prefix are written. Everything is parsed from the right, so a prefix may hold any underscores. */
export interface KeyFormat {
  readonly prefix: string
  /** The id of a well-formed key (of the key half of a pair), `undefined` for anything else. */
  idOf(key: string): string | undefined
  /** Whether a text is a well-formed secret half. Always false where keys do not come in pairs. */
  isSecret(text: string): boolean
}

/** A plain key is prefix + id + secret + checksum: the checksum covers all before it. */
export function plainFormat(prefix: string): KeyFormat {
  const wellFormed = shape(prefix, KEY_BODY)
  return {
    prefix,
    idOf: (key) => (wellFormed(key) ? key.slice(prefix.length, prefix.length + ID_LENGTH) : undefined),
    isSecret: () => false,
  }
}

/** A pair is prefix + id + checksum, and prefix + `sec_` + secret + checksum. */
export function pairFormat(prefix: string): KeyFormat {
  const wellFormed = shape(prefix, PAIR_KEY_BODY)
  return {
    prefix,
    idOf: (key) => (wellFormed(key) ? key.slice(prefix.length, prefix.length + ID_LENGTH) : undefined),
    isSecret: shape(prefix + SECRET_MARK, PAIR_SECRET_BODY),
  }
}

/** The check for `start` + `bodyLength` base62 characters whose last six are the checksum. */
function shape(start: string, bodyLength: number): (text: string) => boolean {
  const length = start.length + bodyLength
  const sum = length - CHECKSUM_LENGTH
  const startCrc = crcOver(start, 0, start.length, CRC_START)
  return (text) =>
    text.length === length &&
    text.startsWith(start) &&
    isBase62(text, start.length, length) &&
    spells(text, sum, crcOver(text, start.length, sum, startCrc))
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

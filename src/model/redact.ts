import { isObject } from './is-object.ts'

/**
 * What looks like a secret: random bytes in Base64; a run of letters and digits as long as that of a key, which nothing a
 * person writes has by chance; what a hash in the usual format ends with.
 *
 * Texts of any length and of anybody come here. So no pattern of this file looks at a character more than a few times:
 * each begins only where a run does.
 */
const SECRETS = /(?<![\w+/])[\w+/]{42,}=|[0-9a-z]{32,}|(?<=\$)[\w+/]{22,}/gi
/** `password=…`, as drivers have it. */
const NAMED = /(\b(?:pass(?:word|wd)?|pwd|auth|secret)["']?[=:]\s*)[^\s,;&}]+/gi
/**
 * The user part of a connection string (`redis://user:password@host`): a password may have any sign in it but a space. The
 * look ahead finds the first `//` of a word, and is not asked for another one.
 */
const USER = /(?<!\S)(?=(\S*?\/\/))\1\S+(?=@)/g

/** Text that may be shown: what looks like a key, a digest or a password is struck out. */
export function redact(text: string): string {
  return text.replace(USER, '$1[redacted]').replace(NAMED, '$1[redacted]').replace(SECRETS, '[redacted]')
}

/** What an error says, without anything secret. What is thrown may be anything, also what throws when it is looked at. */
export function messageOf(error: unknown): string {
  try {
    // Not instanceof: an error of another realm is one, too.
    return redact(isObject(error) && 'message' in error ? String(error.message) : String(error))
  } catch {
    return 'an error that cannot be read'
  }
}

/** A value as an error message shows it: short, on one line, and without anything secret. */
export function show(value: unknown): string {
  const text = redact(plain(value))
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** What is wrong with something that should not be there at all, and its value. */
export function unwanted(flaw: string, value: unknown): string {
  return `${flaw}, given ${show(value)}`
}

function plain(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return `${value}n`
  if (value === undefined || typeof value === 'symbol' || typeof value === 'number') return String(value)
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return 'an object'
  }
}

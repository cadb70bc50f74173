/**
 * What looks like a secret: a run of letters and digits as long as that of a key, which nothing a person writes has by
 * chance; what a hash in the usual format ends with; random bytes in Base64; the user part of a connection string
 * (`redis://user:password@host`), where a password may have any sign in it; and `password=…`, as drivers have it.
 */
const SECRETS =
  /[0-9a-z]{32,}|(?<=\$)[\w+/]{22,}|[\w+/]{42,}=|(?<=\/\/)\S+(?=@)|(?<=\b(?:pass(?:word|wd)?|pwd|auth|secret)["']?[=:]\s*)[^\s,;&}]+/gi

/** Text that may be shown: what looks like a key, a digest or a password is struck out. */
export function redact(text: string): string {
  return text.replace(SECRETS, '[redacted]')
}

/** What an error says, without anything secret. What is thrown may be anything, also what throws when it is looked at. */
export function messageOf(error: unknown): string {
  try {
    return redact(error instanceof Error ? error.message : String(error))
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

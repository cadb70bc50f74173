/** A run of letters and digits as long as the secret half of a key: nothing a person writes has one by chance. */
const KEY_LIKE = /[0-9A-Za-z]{32,}/g
/** The user part of a connection string: `redis://user:password@host`. */
const URL_CREDENTIALS = /\/\/[^/@\s]*@/g

/** Text that may be shown: what looks like a key, a digest or a connection password is struck out. */
export function redact(text: string): string {
  return text.replace(KEY_LIKE, '[redacted]').replace(URL_CREDENTIALS, '//[redacted]@')
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
    return 'a value that JSON cannot hold'
  }
}

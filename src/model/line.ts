/** Control characters, halves of surrogate pairs, and marks that reverse the direction of what follows them. */
const UNSAFE = /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u

/** @returns what is wrong with a value that is to be one line of text, as it stands in records and events */
export function lineFlaw(value: unknown, longest: number, unsafe: RegExp = UNSAFE): string | undefined {
  if (typeof value !== 'string') return 'must be text'
  if (value.length < 1 || value.length > longest) return `must be 1 to ${longest} characters`
  return unsafe.test(value) ? 'must not contain control characters or marks that turn its direction' : undefined
}

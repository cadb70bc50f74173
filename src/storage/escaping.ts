/**
 * Text that every engine keeps as it is. Drivers cut text off at a NUL, and UTF-8 has no lone surrogates, which would
 * make two ids or owners one; so these are written as U+0001 and four hexadecimal digits, and U+0001 itself, too.
 */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, escapeUnit)
}

export function escapeOptional(text: string | undefined): string | null {
  return text === undefined ? null : escapeText(text)
}

export function unescapeText(text: string): string {
  return text.replace(ESCAPED, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

export function escapeUnit(unit: string): string {
  return `${MARK}${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** What begins an escape; alone it stands for an empty text where there must be one. */
export const MARK = '\u0001'
const UNSAFE = new RegExp(`[\u0000${MARK}\\p{Surrogate}]`, 'gu')
const ESCAPED = new RegExp(`${MARK}([0-9a-f]{4})`, 'g')

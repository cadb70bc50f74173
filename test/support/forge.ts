const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** CRC-32 bit by bit, written a second time on purpose: Keyward's own must not vouch for itself. */
export function crc32(text: string): number {
  let crc = 0xffffffff
  for (const byte of Buffer.from(text, 'latin1')) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

/** A whole number as six base62 digits. */
export function sixDigits(value: number): string {
  let text = ''
  for (let rest = value; text.length < 6; rest = Math.floor(rest / 62)) text = `${DIGITS[rest % 62]}${text}`
  return text
}

/** A text with the checksum that it ought to have: anybody can make one. */
export function sealed(text: string): string {
  return text + sixDigits(crc32(text))
}

/** A text with every letter in the other case; never the text itself, where it has a letter. */
export function inOtherCase(text: string): string {
  return [...text].map((char) => (char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase())).join('')
}

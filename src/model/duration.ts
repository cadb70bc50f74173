import { isWhole } from './whole.ts'

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** A length of time: milliseconds, or text such as `'500ms'`, `'10s'`, `'15m'`, `'24h'`, `'7d'`, `'2w'`. */
export type Duration = number | `${number}${keyof typeof UNITS}`

/** Ten years of 366 days: more is a mistake of unit. */
const LONGEST = 316_224_000_000

/** Milliseconds, or `undefined` for what is no duration (negative, fractional, another unit, beyond ten years). */
export function parseDuration(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? fromText(value) : value
  return isWhole(ms, 0, LONGEST) ? ms : undefined
}

function fromText(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d|w)$/.exec(text)
  if (match === null) return undefined
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]
}

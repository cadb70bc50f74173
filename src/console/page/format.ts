import type { Language } from '../language.ts'

/** Times and numbers as they are written in a language. */
export interface Format {
  number(value: number): string
  /** 21 Nov 2026, 10:48 */
  moment(iso: string): string
  /** in 3 days, 2 hours ago */
  distance(iso: string): string
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

export function formatting(language: Language): Format {
  const locale = language === 'zh' ? 'zh-CN' : 'en-GB'
  const numbers = new Intl.NumberFormat(locale)
  const moments = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' })
  const distances = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  return {
    number: (value) => numbers.format(value),
    moment: (iso) => moments.format(new Date(iso)),
    distance(iso) {
      const seconds = (Date.parse(iso) - Date.now()) / 1000
      const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ['second', 1]
      return distances.format(unit === 'second' ? 0 : Math.round(seconds / length), unit)
    },
  }
}

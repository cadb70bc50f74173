import type { Say } from './texts.ts'

/** Times and numbers as they are written in the page. */
export interface Format {
  /** 10,000 */
  number(value: number): string
  /** 2026-11-21 10:48, in the reader's own zone. */
  moment(iso: string): string
  /** Of what is near, how far away it is (3 h ago); of all else, the day. */
  distance(iso: string): string
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** By hand: the first use of `Intl` takes a browser longer than everything else in the page together. */
export function formatting(say: Say): Format {
  return {
    number: (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ','),
    moment: (iso) => localTime(iso).replace('T', ' '),
    distance(iso) {
      const ms = Date.parse(iso) - Date.now()
      const far = Math.abs(ms)
      if (far < MINUTE) return say('justNow')
      if (far >= 48 * HOUR) return localTime(iso).slice(0, 10)
      const [unit, length] = far < HOUR ? (['minuteShort', MINUTE] as const) : (['hourShort', HOUR] as const)
      return say(ms < 0 ? 'ago' : 'ahead', { count: Math.floor(far / length), unit: say(unit) })
    },
  }
}

/** `2026-11-21T10:48` in the reader's own zone, as a field for date and time has it. */
export function localTime(iso: string): string {
  const moment = new Date(iso)
  return new Date(moment.getTime() - moment.getTimezoneOffset() * MINUTE).toISOString().slice(0, 16)
}

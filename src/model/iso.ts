const MINUTE = 60_000
const SECONDS = Array.from({ length: 60 }, (_, n) => `${String(n).padStart(2, '0')}.`)
const MILLISECONDS = Array.from({ length: 1000 }, (_, n) => `${String(n).padStart(3, '0')}Z`)

/** Recent times have a place by their minute: those of a minute from now, an hour and a day come to lie in several. */
const PLACES = 8
const places = Array.from({ length: PLACES }, () => ({ minute: Number.NaN, beginning: '', ms: Number.NaN, text: '' }))

/**
 * `new Date(ms).toISOString()` for the years 1970 to 9999, several times faster: readings carry such times on
 * every request, nearly all of them fall into a few minutes, and many are the same.
 */
export function iso(ms: number): string {
  const minute = Math.floor(ms / MINUTE)
  const place = places[minute & (PLACES - 1)] as (typeof places)[number]
  if (ms === place.ms) return place.text
  if (minute !== place.minute) {
    place.beginning = new Date(minute * MINUTE).toISOString().slice(0, 17)
    place.minute = minute
  }
  const rest = Math.floor(ms - minute * MINUTE)
  const second = Math.floor(rest / 1000)
  place.ms = ms
  place.text = place.beginning + SECONDS[second] + MILLISECONDS[rest - second * 1000]
  return place.text
}

/** Date, hours and minutes, perhaps seconds and a fraction of them, and a zone: `Z`, `+02:00`, `+0200` or `+02`. */
const MOMENT =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:[.,](\d+))?)?(?:Z|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)$/

/** The moment, ms, of an ISO 8601 time with a zone, read by its own rules: `Date.parse` takes what each engine likes. */
export function parseIso(text: string): number | undefined {
  const parts = MOMENT.exec(text)
  if (parts === null) return undefined
  const [year, month, day, hour, minute, second = 0] = parts.slice(1, 7).map((part) => Number(part ?? 0)) as number[]
  const [fraction = '', sign = '+', hours = '0', minutes = '0'] = parts.slice(7)
  const midnight = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  // A day that the month has not is one of the next, and a year of two digits one of the last century.
  if (!midnight.toISOString().startsWith(text.slice(0, 10))) return undefined
  const time =
    (Number(hour) * 60 + Number(minute)) * MINUTE + second * 1000 + Number(fraction.padEnd(3, '0').slice(0, 3))
  const offset = (Number(hours) * 60 + Number(minutes)) * MINUTE
  return midnight.getTime() + time + (sign === '-' ? offset : -offset)
}

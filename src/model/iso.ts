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

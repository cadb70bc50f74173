const TWO = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'))
const THREE = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'))
const DAY = 86_400_000

let lastDay = Number.NaN
let lastDayText = ''

/**
 * `new Date(ms).toISOString()` for the years 1970 to 9999, several times faster: readings carry such times on
 * every request, and nearly all of them fall on the same day.
 */
export function iso(ms: number): string {
  const day = Math.floor(ms / DAY)
  if (day !== lastDay) {
    lastDayText = new Date(day * DAY).toISOString().slice(0, 11)
    lastDay = day
  }
  const rest = Math.floor(ms - day * DAY)
  const seconds = Math.floor(rest / 1000)
  const minutes = Math.floor(seconds / 60)
  return `${lastDayText}${TWO[Math.floor(minutes / 60)]}:${TWO[minutes % 60]}:${TWO[seconds % 60]}.${THREE[rest % 1000]}Z`
}

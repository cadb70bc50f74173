import { addAt, advance, fitTo, type Leased, type WindowCounter } from './window-counter.ts'

/** How many leases of a window can be told apart: as many processes may hold one at once and still give back what is left. */
const MOST_LEASES = 16

/** Nobody's: what has it runs out. */
const NO_ID = ''

/** `advance`, for a counter that may have leases: those that are over are uses like any other from then on. */
export function bringUp(counter: WindowCounter, now: number): void {
  advance(counter, now)
  if (counter.leases === undefined) return
  // What has left had to go first: the ring has no room for both.
  land(counter, counter.leases, now)
  advance(counter, now)
}

/**
 * Adds units that were found to fit, to be used until `until`. They count as used from now on, but are no part of the
 * log or the slots before they are over: what lies ahead must not push what was used before out of the window.
 */
export function addLease(counter: WindowCounter, limit: number, leased: Leased): void {
  fitTo(counter, limit)
  const leases = [...(counter.leases ?? [])]
  if (leases.length >= MOST_LEASES) merge(leases)
  let at = leases.length
  while (at > 0 && (leases[at - 1] as Leased).until > leased.until) at--
  leases.splice(at, 0, leased)
  counter.leases = leases
  counter.used += leased.units
}

/** Ends a lease of a counter that was brought up: what was used of it is a thing of now. Nothing where there is none. */
export function endLease(counter: WindowCounter, id: string, unused: number, now: number): void {
  const ended = id === NO_ID ? undefined : counter.leases?.find((leased) => leased.id === id)
  if (ended === undefined) return
  counter.leases = without(counter.leases, (leased) => leased !== ended)
  counter.used -= ended.units
  const made = ended.units - Math.min(unused, ended.units)
  if (made > 0) addAt(counter, made, now)
}

/** In order of their ends, so that each is added behind the one before. */
function land(counter: WindowCounter, leases: readonly Leased[], now: number): void {
  for (const { until, units } of leases) {
    if (until > now) break
    counter.used -= units
    addAt(counter, units, until)
  }
  const open = without(leases, ({ until }) => until > now)
  const isAhead = open !== undefined && (open.at(-1) as Leased).until > now + 2 * counter.ms
  // The clock was set back by more than a window: nothing may stay ahead of it for long.
  counter.leases = isAhead
    ? open.map((leased) => ({ ...leased, until: Math.min(leased.until, now + counter.ms) }))
    : open
}

/** The first two become one that lasts as long as the longer: more than enough, and never less than what was taken. */
function merge(leases: Leased[]): void {
  const [first, second] = leases as [Leased, Leased]
  leases.splice(0, 2, { id: NO_ID, until: second.until, units: first.units + second.units })
}

function without(
  leases: readonly Leased[] | undefined,
  keep: (leased: Leased) => boolean,
): readonly Leased[] | undefined {
  const kept = leases?.filter(keep)
  return kept === undefined || kept.length === 0 ? undefined : kept
}

import { parseDuration } from '../model/duration.ts'
import type { Issue } from '../model/errors.ts'
import { isObject } from '../model/is-object.ts'
import type { StoredLimit } from '../model/key.ts'
import { NAMED_WINDOWS, type Window } from '../model/limits.ts'
import { inherited } from '../model/own.ts'
import { show, unwanted } from '../model/redact.ts'
import { isWhole } from '../model/whole.ts'

/** Limits as they are kept with a key: by window name, `null` where a default is lifted. */
export type LimitMap = Readonly<Record<string, StoredLimit>>

/** What every key of an instance has unless it says otherwise, and what no key may go beyond. */
export interface LimitPlan {
  readonly defaults: LimitMap
  readonly max: LimitMap
}

const NAME = /^[A-Za-z0-9_-]{1,32}$/
const SHORTEST = 1_000
const LONGEST = 366 * NAMED_WINDOWS.day
/** How many windows of its own a key may have, those that it lifts among them. */
export const MOST_WINDOWS = 8
const NO_WINDOW = `is no window (${Object.keys(NAMED_WINDOWS).join(', ')})`
/** What a RateLimit header can carry as an integer (RFC 9651 section 3.3.1). */
const HIGHEST = 999_999_999_999_999

/**
 * Limits as written, in either form, as they are kept. `report` is told of each flaw.
 * @param lifts whether `null` may stand for a limit
 */
export function parseLimits(input: unknown, lifts: boolean, report: (issue: Issue) => void): LimitMap {
  // A Map, or an object of a class, would look empty: what is meant to limit must not be left out in silence.
  if (!isObject(input) || input instanceof Map || inherited(input, Object.keys(NAMED_WINDOWS)) !== undefined) {
    report({ path: '', message: `must be an object of windows or a list of them, not ${show(input)}` })
    return {}
  }
  // Before they are looked at one by one: there may be as many as a body has room for.
  const count = Array.isArray(input) ? input.length : Object.keys(input).length
  if (count > MOST_WINDOWS) {
    report({ path: '', message: `must be at most ${MOST_WINDOWS} windows, not ${count}` })
    return {}
  }
  const parsed = Array.isArray(input) ? parseList(input, lifts, report) : parseNamed(input, lifts, report)
  return Object.fromEntries(parsed)
}

type Report = (issue: Issue) => void

function parseNamed(input: object, lifts: boolean, report: Report): Map<string, StoredLimit> {
  const parsed = new Map<string, StoredLimit>()
  for (const [name, limit] of Object.entries(input)) {
    if (limit === undefined) continue
    const ms = windowOf(name)
    if (ms === undefined) report({ path: name, message: unwanted(NO_WINDOW, limit) })
    else if (limit === null && lifts) parsed.set(name, null)
    else if (isLimit(limit)) parsed.set(name, { limit, ms })
    else report({ path: name, message: `must be a whole number ≥ 0, not ${show(limit)}` })
  }
  return parsed
}

function parseList(input: readonly unknown[], lifts: boolean, report: Report): Map<string, StoredLimit> {
  const parsed = new Map<string, StoredLimit>()
  for (const [i, item] of input.entries()) {
    const flaw = (path: string, message: string) => report({ path: path === '' ? `${i}` : `${i}.${path}`, message })
    if (!isObject(item)) {
      flaw('', `must be { name, limit, window }, not ${show(item)}`)
      continue
    }
    const { name, limit, window, ...more } = item as Record<string, unknown>
    const ms = parseDuration(window)
    const extra = Object.keys(more)[0]
    if (extra !== undefined) flaw(extra, unwanted('is not a field of a window', more[extra]))
    else if (typeof name !== 'string' || !NAME.test(name))
      flaw('name', `must be 1 to 32 letters, digits, _ and -, not ${show(name)}`)
    else if (parsed.has(name)) flaw('name', `must differ from the others, ${name} is there twice`)
    else if (ms === undefined || ms < SHORTEST || ms > LONGEST)
      flaw('window', `must be 1s to 366d, not ${show(window)}`)
    else if ((windowOf(name) ?? ms) !== ms)
      flaw('window', `must be as long as its name says, ${name}, not ${show(window)}`)
    else if (limit === null && lifts) parsed.set(name, null)
    else if (isLimit(limit)) parsed.set(name, { limit, ms })
    else flaw('limit', `must be a whole number ≥ 0, not ${show(limit)}`)
  }
  return parsed
}

function windowOf(name: string): number | undefined {
  return Object.hasOwn(NAMED_WINDOWS, name) ? NAMED_WINDOWS[name as keyof typeof NAMED_WINDOWS] : undefined
}

function isLimit(limit: unknown): limit is number {
  return isWhole(limit, 0, HIGHEST)
}

/** What is wrong with a key's own limits beside the plan's `max`, one issue for each. */
export function beyondMax(own: LimitMap, { max }: LimitPlan): readonly Issue[] {
  return Object.entries(own).flatMap(([path, limit]) => {
    const most = Object.hasOwn(max, path) ? max[path] : undefined
    if (most === undefined || most === null) return []
    if (limit === null) return [{ path, message: `cannot be lifted, the maximum is ${most.limit}` }]
    if (limit.ms !== most.ms) return [{ path, message: `must be a window of ${most.ms} ms, not ${limit.ms}` }]
    return limit.limit > most.limit ? [{ path, message: `must be at most ${most.limit}, not ${limit.limit}` }] : []
  })
}

/**
 * The windows that apply to a key: its own over the defaults, none beyond the maximum. One of another length than the
 * maximum, as a key may have from before there was one, cannot be compared with it: it gives way.
 */
export function effectiveWindows(own: LimitMap | undefined, { defaults, max }: LimitPlan): readonly Window[] {
  const merged = new Map(Object.entries({ ...defaults, ...own }))
  for (const [name, most] of Object.entries(max)) {
    const limit = merged.get(name)
    if (most !== null && (!limit || limit.ms !== most.ms || limit.limit > most.limit)) merged.set(name, most)
  }
  return [...merged].flatMap(([name, limit]) =>
    limit === null ? [] : [Object.freeze({ name, limit: limit.limit, ms: limit.ms })],
  )
}

const shown = new WeakMap<readonly Window[], readonly Window[]>()

/**
 * Windows as whoever is shown them may not change them: requests share a list. It is not frozen itself, because V8 has no
 * fast way to an element of a frozen one, and every request looks at each twice.
 */
export function shownWindows(windows: readonly Window[]): readonly Window[] {
  const known = shown.get(windows)
  if (known !== undefined) return known
  const copy = Object.freeze([...windows])
  shown.set(windows, copy)
  return copy
}

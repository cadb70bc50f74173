import type { AnyDemand } from '../model/demand.ts'
import { isObject } from '../model/is-object.ts'

/** As many are remembered: more than a program writes down, but for those with a function made anew for each request. */
const MOST = 16

/** How deep a demand is looked into: `answers`, a code, and what is said then. What lies deeper is compared as it stands. */
const DEPTH = 3

/**
 * Makes something of demands, once for all that say the same: whoever writes `{ scopes: ['a:read'] }` where it is needed
 * gives another object each time. What is made is made of a copy, each member of which was read once.
 */
export function oncePerDemand<Made>(make: (demand: AnyDemand) => Made): (demand: AnyDemand) => Made {
  const lasting = new WeakMap<object, Made>()
  const known: { readonly said: AnyDemand; readonly made: Made }[] = []

  return (demand) => {
    // What a demand has from a class, a copy would be without: it is refused as it is.
    if (!isPlain(demand)) return make(demand)
    const kept = lasting.get(demand)
    if (kept !== undefined) return kept
    const said = copied(demand, DEPTH)
    const made = known.find((each) => sayTheSame(each.said, said, DEPTH))?.made ?? remember(said)
    if (isFixed(demand)) lasting.set(demand, made)
    return made
  }

  function remember(said: AnyDemand): Made {
    const made = make(said)
    known.unshift({ said, made })
    if (known.length > MOST) known.pop()
    return made
  }
}

/** Whether nothing in it can change any more. */
function isFixed(value: unknown): boolean {
  return !isObject(value) || (Object.isFrozen(value) && Object.values(value).every(isFixed))
}

function copied<T>(value: T, depth: number): T {
  if (depth === 0 || !isPlain(value)) return value
  if (Array.isArray(value)) return value.map((item) => copied(item, depth - 1)) as T
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copied(member, depth - 1)])) as T
}

function sayTheSame(a: unknown, b: unknown, depth: number): boolean {
  if (a === b) return true
  if (depth === 0 || !isPlain(a) || !isPlain(b) || Array.isArray(a) !== Array.isArray(b)) return false
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every((name) => Object.hasOwn(b, name) && sayTheSame(a[name], b[name], depth - 1))
}

/** A list, or an object of no class: two of them are the same when their members are. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Array.isArray(value)
}

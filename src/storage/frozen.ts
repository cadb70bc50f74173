import { isObject } from '../model/is-object.ts'
/**
 * A copy of plain JSON, frozen to its leaves: neither whoever gave it nor whoever gets it can change it.
 * @param known members that are at hand, frozen: they are taken in place of copies
 */
export function frozenCopy<T>(value: T, known: Partial<T> = {}): T {
  if (!isObject(value)) return value
  if (Array.isArray(value)) return Object.freeze(value.map((item) => frozenCopy(item))) as T
  // Spreading keeps the compact layout of the original, and makes `__proto__` an ordinary member.
  const copy = { ...value }
  for (const name of Object.keys(copy) as (keyof T)[]) {
    const member = copy[name]
    if (Object.hasOwn(known, name)) copy[name] = known[name] as never
    else if (typeof member === 'object') copy[name] = frozenCopy(member)
  }
  return Object.freeze(copy)
}

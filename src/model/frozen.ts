import { isObject } from './is-object.ts'

/** A copy of plain JSON, frozen to its leaves: neither whoever gave it nor whoever gets it can change it, or the other's. */
export function frozenCopy<T>(value: T): T {
  if (!isObject(value)) return value
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as T
  // Spreading keeps the compact layout of the original, and makes `__proto__` an ordinary member.
  const copy = { ...value }
  for (const name of Object.keys(copy) as (keyof T)[]) copy[name] = frozenCopy(copy[name])
  return Object.freeze(copy)
}

/** A copy of plain JSON, frozen to its leaves: neither whoever gave it nor whoever gets it can change it. */
export function frozenCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as T
  // Spreading keeps the compact layout of the original, and makes `__proto__` an ordinary member.
  const copy = { ...value }
  for (const name of Object.keys(copy) as (keyof T)[]) {
    const member = copy[name]
    if (typeof member === 'object') copy[name] = frozenCopy(member)
  }
  return Object.freeze(copy)
}

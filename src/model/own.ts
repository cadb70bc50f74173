/**
 * The own members of an object, each read once, on no prototype: what someone put on `Object.prototype` is no
 * option of ours, and a getter cannot answer twice.
 */
export function own<T extends object>(object: T): T {
  // Not Object.create(null), which makes an object that is slow to read.
  return Object.setPrototypeOf({ ...object }, null)
}

/**
 * The first of these names that an object has from a class of its own: `own` leaves that out, and what is meant to
 * forbid something must not be left out in silence. `Object.prototype` is no such class.
 */
export function inherited(object: object, names: readonly string[]): string | undefined {
  for (let at = Object.getPrototypeOf(object); at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    const found = names.find((name) => Object.hasOwn(at, name))
    if (found !== undefined) return found
  }
  return undefined
}

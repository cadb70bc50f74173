/**
 * The own members of an object, each read once, on no prototype: what someone put on `Object.prototype` is no
 * option of ours, and a getter cannot answer twice.
 */
export function own<T extends object>(object: T): T {
  // Not Object.create(null), which makes an object that is slow to read.
  return Object.setPrototypeOf({ ...object }, null)
}

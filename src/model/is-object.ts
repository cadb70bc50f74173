/** Whether a value is an object, a list among them, and not `null`. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

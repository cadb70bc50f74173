/** Whether a value is an object, a list among them, and not `null`. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Whether a value is an object that has members by name: no list, and not `null`. */
export function isRecord(value: unknown): value is object {
  return isObject(value) && !Array.isArray(value)
}

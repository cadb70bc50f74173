const late = new WeakSet<object>()

/** Of an error that stands for an answer which did not come in time: what was asked may have been done, or be done yet. */
export function noteLate<E extends Error>(error: E): E {
  late.add(error)
  return error
}

export function isLate(error: unknown): boolean {
  return typeof error === 'object' && error !== null && late.has(error)
}

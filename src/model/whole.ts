/** Whether it is a whole number that arithmetic keeps exact. */
export function isWhole(value: unknown, least = 0, most = Number.POSITIVE_INFINITY): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
}

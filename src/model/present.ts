/** Those members that have a value: neither `undefined` nor `null`. */
export function present<T extends object>(members: T): { [name in keyof T]?: Exclude<T[name], undefined | null> } {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && value !== null),
  ) as never
}

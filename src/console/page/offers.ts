import type { ConsoleSettings } from '../settings.ts'

/** Whether people may set this of a key: what they may not, the page does not show. */
export function offers({ fields }: Pick<ConsoleSettings, 'fields'>, field: string): boolean {
  return fields === undefined || fields.includes(field)
}

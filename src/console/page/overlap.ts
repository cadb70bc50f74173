import type { KeyRecord } from '../../model/key.ts'

/** Until when the secret before the last rotation works, as long as it does. */
export function overlapOf({ status, previousSecretUntil }: KeyRecord): string | undefined {
  const isOver = previousSecretUntil === undefined || Date.parse(previousSecretUntil) <= Date.now()
  return isOver || status !== 'active' ? undefined : previousSecretUntil
}

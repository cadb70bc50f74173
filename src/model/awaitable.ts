import { isObject } from './is-object.ts'

/**
 * A value that may be there at once. What lives in the process answers without a promise, so that a warm
 * verification never waits; what lives elsewhere answers with one. `await` takes either.
 */
export type Awaitable<T> = T | Promise<T>

export function isThenable<T>(value: Awaitable<T>): value is Promise<T> {
  return isObject(value) && 'then' in value && typeof value.then === 'function'
}

import { isObject } from './is-object.ts'

/**
 * A value that may be there at once. What lives in the process answers without a promise, so that a warm
 * verification never waits; what lives elsewhere answers with one. `await` takes either.
 */
export type Awaitable<T> = T | Promise<T>

/**
 * A promise of another making as one that `instanceof Promise` knows: a library's, and where a library has put its own in
 * the place of the engine's (zone.js, bluebird), that of an `async` function.
 */
export function recognisable<T>(answer: Promise<T>): Promise<T>
export function recognisable<T>(answer: Awaitable<T>): Awaitable<T>
export function recognisable<T>(answer: Awaitable<T>): Awaitable<T> {
  return isThenable(answer) ? Promise.resolve(answer) : answer
}

export function isThenable<T>(value: Awaitable<T>): value is Promise<T> {
  return isObject(value) && 'then' in value && typeof value.then === 'function'
}

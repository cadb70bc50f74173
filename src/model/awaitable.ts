/**
 * A value that may be there at once. What lives in the process answers without a promise, so that a warm
 * verification never waits; what lives elsewhere answers with one. `await` takes either.
 */
export type Awaitable<T> = T | Promise<T>

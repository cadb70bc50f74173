import type { KeyStore } from '../model/store.ts'

const patience = new WeakMap<KeyStore, number>()

/** Notes how long callers wait for the answers of a store, ms: where several instances share it, the longest. */
export function notePatience(store: KeyStore, ms: number): void {
  patience.set(store, Math.max(ms, patienceOf(store) ?? 0))
}

/** How long anybody waits for an answer of this store; `undefined` where it is no instance's. */
export function patienceOf(store: KeyStore): number | undefined {
  return patience.get(store)
}

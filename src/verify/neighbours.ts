import type { KeyStore } from '../model/store.ts'
import type { KnownKeys } from './known-keys.ts'

type Memory = Pick<KnownKeys, 'forget'>

/** What instances of this process remember, by the store that they share. One that nobody uses any more is let go. */
type Memories = WeakMap<KeyStore, Set<Pick<WeakRef<Memory>, 'deref'>>>

/** Registered, so that a program that loaded the ESM and the CJS copy of this package still has one of them. */
const MEMORIES = Symbol.for('keyward.memories')

/**
 * Joins the instances on a store: what one of them changes, this process obeys at once, whichever of them is asked.
 * @returns tells all of them, the one that joined included, that a key has changed
 */
export function neighboursOn(store: KeyStore, memory: Memory): KnownKeys['forget'] {
  const shared = globalThis as { [MEMORIES]?: Memories }
  shared[MEMORIES] ??= new WeakMap()
  const memories = shared[MEMORIES]
  const all = memories.get(store) ?? new Set()
  for (const each of all) if (each.deref() === undefined) all.delete(each)
  memories.set(store, all.add(weakly(memory)))
  return (id) => {
    for (const each of all) each.deref()?.forget(id)
  }
}

/** Workers had no WeakRef before 2025-05-05: there an instance lives as long as its store. */
function weakly(memory: Memory): Pick<WeakRef<Memory>, 'deref'> {
  return typeof WeakRef === 'undefined' ? { deref: () => memory } : new WeakRef(memory)
}

import type { StoredKey } from '../../model/key.ts'
import type { CreditAccount } from '../../model/store.ts'
import { keyOfAccount } from '../accounts.ts'
import { type Counted, NO_COUNTERS } from '../counters.ts'
import type { WindowCounter } from '../window-counter.ts'

/** The keys of a memory store, by id. */
export interface MemoryKeys {
  get(id: string): StoredKey | undefined
  /** Puts a key in, or in the place of its forerunner. */
  set(key: StoredKey): void
  delete(id: string): void
  /** A key that is there, with its counters. */
  used(id: string): UsedKey | undefined
}

/** A key that something was taken from. One that never was is kept without: a tenth of what it takes. */
export class UsedKey implements Counted {
  key: StoredKey
  counters: readonly WindowCounter[] = NO_COUNTERS

  constructor(key: StoredKey) {
    this.key = key
  }
}

export function memoryKeys(): MemoryKeys {
  const held = new Map<string, StoredKey | UsedKey>()
  return {
    get(id) {
      const found = held.get(id)
      return found instanceof UsedKey ? found.key : found
    },
    set(key) {
      const found = held.get(key.id)
      if (found instanceof UsedKey) found.key = key
      else held.set(key.id, key)
    },
    delete: (id) => held.delete(id),
    used(id) {
      const found = held.get(id)
      if (found === undefined || found instanceof UsedKey) return found
      const used = new UsedKey(found)
      held.set(id, used)
      return used
    },
  }
}

/**
 * Whether a balance is an owner's, or the present one of a key. A request may end after its key was removed, or was given
 * another balance: nobody would remove what it leaves.
 */
export function hasAccount({ get }: MemoryKeys, { account }: CreditAccount): boolean {
  const id = keyOfAccount(account)
  return id === undefined || account === `${id}:${get(id)?.credits?.opened}`
}

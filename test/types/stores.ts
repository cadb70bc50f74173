/** Checked by the compiler alone (`npm run typecheck`, `typecheck:7`): nothing here is run. */
import {
  createApiKeys,
  type Filter,
  type KeyStore,
  KeywardError,
  type KeywardErrorDetails,
  type Lease,
  type LeaseSpend,
  type ListPage,
  type ListQuery,
  memoryStore,
  type StoredKey,
  type Taken,
} from 'keyward'
import { storeChecks } from 'keyward/testing'
import { type Same, same } from './assert.ts'

/** Five asynchronous verbs make a store. */
class AsyncStore implements KeyStore {
  readonly #keys = new Map<string, StoredKey>()

  async find(id: string): Promise<StoredKey | undefined> {
    return this.#keys.get(id)
  }

  async insert(key: StoredKey): Promise<void> {
    this.#keys.set(key.id, key)
  }

  async replace(key: StoredKey, ifVersion: number): Promise<boolean> {
    return this.#keys.get(key.id)?.version === ifVersion
  }

  async remove(id: string): Promise<boolean> {
    return this.#keys.delete(id)
  }

  async list(query: ListQuery): Promise<{ items: StoredKey[]; cursor?: string }> {
    return { items: [...this.#keys.values()].slice(0, query.limit) }
  }
}

/** All of them, asynchronous, as API.md section 9 writes them. */
class WholeStore extends AsyncStore {
  async touch(marks: readonly { id: string; at: number; uses: number }[]): Promise<void> {
    marks.map(({ id, at, uses }) => [id, at, uses])
  }

  async take(): Promise<Taken> {
    return { stale: undefined }
  }

  async watch(onChange: (id: string | '*') => void): Promise<() => Promise<void>> {
    onChange('*')
    return async () => {}
  }

  async revokeWhere(filter: Filter, at: number): Promise<number> {
    return filter.owner === undefined ? 0 : at
  }

  async close(): Promise<void> {}
}

export function aStoreMayBeAsynchronous() {
  const stores: KeyStore[] = [new AsyncStore(), new WholeStore(), memoryStore()]
  for (const store of stores) createApiKeys({ prefix: 'sto_', store })
  return storeChecks(() => new AsyncStore())
}

/** A store that lives in the process answers without a promise. */
export function aStoreMayBeSynchronous(keys: Map<string, StoredKey>) {
  const store: KeyStore = {
    find: (id) => keys.get(id),
    insert: (key) => void keys.set(key.id, key),
    replace: () => false,
    remove: (id) => keys.delete(id),
    list: (): ListPage => ({ items: [...keys.values()] }),
  }
  return createApiKeys({ prefix: 'sto_', store })
}

export function aStoreIsGivenWhatIsForReading(store: KeyStore) {
  const found = store.find('id')
  same<Same<typeof found, StoredKey | undefined | Promise<StoredKey | undefined>>>()
  return (key: StoredKey) => {
    // @ts-expect-error a stored key is changed by replace() alone
    key.status = 'revoked'
  }
}

export function whatIsNoStoreDoesNotCompile(part: Omit<KeyStore, 'remove'>) {
  // @ts-expect-error a verb is missing
  createApiKeys({ prefix: 'sto_', store: part })
  // @ts-expect-error a client is no store
  createApiKeys({ prefix: 'sto_', store: new Map() })
  const wrong = memoryStore()
  // @ts-expect-error replace answers whether it did
  createApiKeys({ prefix: 'sto_', store: { ...wrong, replace: async () => 'OK' } })
  // @ts-expect-error find answers a whole key
  createApiKeys({ prefix: 'sto_', store: { ...wrong, find: async (id: string) => ({ id }) } })
}

/** Whatever a signature names, a host can name. */
export function aStoreMayLease(
  id: string,
  version: number,
  spend: LeaseSpend,
  now: number,
  details: KeywardErrorDetails,
) {
  const lease: Lease | undefined = spend.lease
  const verb: NonNullable<KeyStore['lease']> = memoryStore().lease ?? (() => ({ stale: undefined }))
  if (lease === undefined) throw new KeywardError('INPUT', 'there is no lease', details)
  const given: Parameters<typeof verb> = [id, version, spend, now]
  return verb(...given)
}

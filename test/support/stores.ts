import { createApiKeys, type KeyStore, memoryStore, type StoredKey } from 'keyward'

const VERBS = ['find', 'insert', 'replace', 'remove', 'list', 'touch', 'take', 'lease', 'move', 'revokeWhere'] as const
export type Verb = (typeof VERBS)[number]

/** What stands between Keyward and a store: `ask` asks the store itself. */
type Around = (verb: Verb, ask: () => unknown, args: readonly unknown[]) => unknown

/** A store with something in between; verbs that are absent stay absent. */
export function wrapStore(inner: KeyStore, around: Around): KeyStore {
  const wrapped: Partial<Record<Verb, unknown>> = {}
  for (const verb of VERBS) {
    const original = inner[verb] as ((...args: readonly unknown[]) => unknown) | undefined
    if (original === undefined) continue
    wrapped[verb] = (...args: readonly unknown[]) => around(verb, () => original.apply(inner, [...args]), args)
  }
  return wrapped as unknown as KeyStore
}

/** A store that notes what it is asked. */
export function spiedStore(inner: KeyStore = memoryStore()) {
  const calls: { readonly verb: Verb; readonly args: readonly unknown[] }[] = []
  const store = wrapStore(inner, (verb, ask, args) => {
    calls.push({ verb, args })
    return ask()
  })
  return {
    store,
    calls,
    asked: (verb: Verb) => calls.filter((call) => call.verb === verb).length,
    forget: () => {
      calls.length = 0
    },
  }
}

/** A store that answers a turn of the event loop later, as one behind a network does. */
export function distantStore(inner: KeyStore = memoryStore()): KeyStore {
  const later = async <T>(ask: () => T): Promise<Awaited<T>> => {
    await new Promise((resolve) => setImmediate(resolve))
    return await ask()
  }
  return wrapStore(inner, (_verb, ask) => later(ask))
}

/** A store whose `find` gives something else than was kept. */
export function alteredStore(alter: (stored: StoredKey) => unknown, inner: KeyStore = memoryStore()): KeyStore {
  return wrapStore(inner, (verb, ask) => {
    const answer = ask()
    return verb === 'find' && answer !== undefined ? alter(answer as StoredKey) : answer
  })
}

/** A store of which one verb does something else, once it is told to. */
export function sabotagedStore(inner: KeyStore = memoryStore()) {
  const faults = new Map<Verb, (ask: () => unknown) => unknown>()
  const store = wrapStore(inner, (verb, ask) => {
    const fault = faults.get(verb)
    return fault === undefined ? ask() : fault(ask)
  })
  return {
    store,
    /** From now on, `verb` does this instead; `undefined` mends it. */
    break: (verb: Verb, fault: ((ask: () => unknown) => unknown) | undefined) => {
      if (fault === undefined) faults.delete(verb)
      else faults.set(verb, fault)
    },
  }
}

/** What never answers. */
export const never = (): Promise<never> => new Promise(() => {})

/** A promise in somebody else's hands. */
export function deferred<T = void>() {
  let resolve: (value: T) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<T>((settle, fail) => {
    resolve = settle
    reject = fail
  })
  return { promise, resolve, reject }
}

/** The text of a well-formed key with this id and a secret that was never issued. */
export async function wrongSecretFor(
  id: string,
  prefix: string,
  pair = false,
): Promise<{ key: string; secret?: string }> {
  const forgetful: KeyStore = { ...memoryStore(), insert: () => {} }
  const { key, secret } = await createApiKeys({ prefix, pair, store: forgetful, generateId: () => id }).create({
    owner: 'nobody',
  })
  return secret === undefined ? { key } : { key, secret }
}

/** The record as the store has it. */
export async function kept(store: KeyStore, id: string): Promise<StoredKey> {
  const stored = await store.find(id)
  if (stored === undefined) throw new Error(`the store has no ${id}`)
  return stored
}

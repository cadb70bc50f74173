import type { KeyStore } from '../../src/model/store.ts'
import { memoryStore } from '../../src/storage/memory.ts'

export type Verbs = Required<Omit<KeyStore, 'watch'>>

/** A store with one mistake that people make, and checks that must find it. */
export interface BrokenStore {
  readonly mistake: string
  readonly found: readonly string[]
  readonly change: (good: Verbs) => Partial<KeyStore>
}

export function broken({ change }: BrokenStore): KeyStore {
  const good = memoryStore() as Verbs
  return { ...good, ...change(good) }
}

/** The memory store answers at once. */
export function at<T>(answer: T | Promise<T>): T {
  return answer as T
}

import { hashedText } from '../key/format.ts'
import type { Hasher } from '../model/hasher.ts'
import type { KeyStore } from '../model/store.ts'
import type { Attempt } from './attempt.ts'
import type { Known } from './known.ts'

/** Replaces a hash that an older scheme or pepper made, now that its text is at hand. Nobody waits for it. */
export type Upgrade = (known: Known, attempt: Attempt) => void

export interface UpgradeOptions {
  readonly store: Pick<KeyStore, 'replace'>
  readonly hasher: Hasher
  readonly onChange: (id: string) => void
  readonly onFault: (error: unknown) => void
}

/**
 * The write is conditional on the version that was verified, so it can neither undo a change nor bring a record back;
 * when it loses, the next use tries again.
 */
export function createUpgrade({ store, hasher, onChange, onFault }: UpgradeOptions): Upgrade {
  const underWay = new Set<string>()

  async function upgrade(known: Known, text: string): Promise<void> {
    const { stored } = known
    underWay.add(stored.id)
    try {
      const hash = await hasher.make(text)
      if (await store.replace({ ...stored, hash, version: stored.version + 1 }, stored.version)) onChange(stored.id)
    } catch (error) {
      onFault(error)
    } finally {
      underWay.delete(stored.id)
    }
  }

  return (known, { presented }) => {
    if (!known.outdated || underWay.has(known.stored.id)) return
    void upgrade(known, hashedText(presented.key, presented.secret))
  }
}

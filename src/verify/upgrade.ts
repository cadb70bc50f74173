import { hashedText } from '../key/format.ts'
import { nextVersion } from '../key/version.ts'
import type { Hasher } from '../model/hasher.ts'
import { isLate } from '../model/late.ts'
import { oldestOf } from '../model/oldest.ts'
import type { KeyStore } from '../model/store.ts'
import type { Attempt } from './attempt.ts'
import type { Known } from './known.ts'

/** Replaces hashes that an older scheme or pepper made, now that their text is at hand. */
export interface Upgrades {
  /** Nobody waits for it: what cannot be done now, a later use does. */
  upgrade(known: Known, attempt: Attempt): void
  /** When those that are under way have come to an end. */
  ended(): Promise<void>
}

interface UpgradeOptions {
  readonly store: Pick<KeyStore, 'replace'>
  readonly hasher: Hasher
  readonly random: (size: number) => Uint8Array
  readonly onChange: (id: string) => void
  readonly onFault: (error: unknown) => void
}

/** A hash that is dear is not made before those that requests wait for. */
const AT_ONCE = { cheap: 16, dear: 1 }
const MOST_DONE = 10_000
/** A write that was late may still be under way, ms: it waits for the row, as would all that were begun after it. */
const STILL = 60_000

/**
 * A key is upgraded once: where processes differ in what is the newest, as they do while a change of it is rolled out, they
 * would otherwise write each other's hashes anew with every use. The write is conditional on the version that was verified, so it can neither undo a change nor bring a record back;
 * when it loses, the next use tries again.
 */
export function createUpgrades({ store, hasher, random, onChange, onFault }: UpgradeOptions): Upgrades {
  const underWay = new Map<string, Promise<void>>()
  const done = new Set<string>()
  /** Ids whose write was late, and until when none is begun again, ms by the monotonic clock. They take up places like others. */
  const late = new Map<string, number>()
  const most = hasher.cheap ? AT_ONCE.cheap : AT_ONCE.dear

  async function upgrade(known: Known, text: string): Promise<void> {
    const { stored } = known
    try {
      const hash = await hasher.make(text)
      const version = nextVersion(stored.version, random)
      if (!(await store.replace({ ...stored, hash, version }, stored.version))) return
      if (done.size >= MOST_DONE) for (const old of oldestOf(done)) done.delete(old)
      done.add(stored.id)
      onChange(stored.id)
    } catch (error) {
      onFault(error)
      if (isLate(error)) late.set(stored.id, performance.now() + STILL)
    }
  }

  function isFree(id: string): boolean {
    for (const [other, until] of late) if (until <= performance.now()) late.delete(other)
    return underWay.size + late.size < most && !underWay.has(id) && !late.has(id) && !done.has(id)
  }

  return {
    upgrade(known, { presented }) {
      const { id } = known.stored
      if (!known.outdated || !isFree(id)) return
      const over = upgrade(known, hashedText(presented.key, presented.secret)).finally(() => underWay.delete(id))
      underWay.set(id, over)
    },
    ended: async () => void (await Promise.all(underWay.values())),
  }
}

import type { KeyStore } from '../../src/model/store.ts'
import { at, type BrokenStore, type Verbs } from './broken-store.ts'

type Tell = (id: string) => void
const VERBS = ['replace', 'remove', 'revokeWhere'] as const

/** A store that tells of what it did, and what may be wrong with it. */
interface Mistake {
  /** Of these it says nothing. */
  readonly silent?: readonly (typeof VERBS)[number][]
  readonly early?: boolean
  readonly endless?: boolean
  readonly once?: boolean
}

export function watched(good: Verbs, { silent = [], early, endless, once }: Mistake = {}): Partial<KeyStore> {
  const watches = new Set<Tell>()
  const tell = (verb: (typeof VERBS)[number], id: string): void => {
    if (!silent.includes(verb)) for (const each of watches) each(id)
  }
  const telling = <T>(verb: (typeof VERBS)[number], id: string, act: () => T): T | Promise<T> => {
    if (!early) {
      const done = act()
      tell(verb, id)
      return done
    }
    tell(verb, id)
    return Promise.resolve().then(act)
  }
  return {
    replace: (key, version) => telling('replace', key.id, () => at(good.replace(key, version))),
    remove: (id) => telling('remove', id, () => at(good.remove(id))),
    revokeWhere: (filter, time, reason) =>
      telling('revokeWhere', '*', () => at(good.revokeWhere(filter, time, reason))),
    async watch(onChange) {
      const each: Tell = (id) => onChange(id)
      watches.add(each)
      return async () => {
        if (once) watches.clear()
        if (!endless) watches.delete(each)
      }
    },
  }
}

/** Mistakes with what is told of changes. */
export const BROKEN_WATCHES: readonly BrokenStore[] = [
  {
    mistake: 'watch tells of no replacement',
    found: ['watch-replace', 'watch-stops'],
    change: (good) => watched(good, { silent: ['replace'] }),
  },
  {
    mistake: 'watch tells of no removal',
    found: ['watch-remove'],
    change: (good) => watched(good, { silent: ['remove'] }),
  },
  {
    mistake: 'watch tells of no bulk revocation',
    found: ['watch-revoke'],
    change: (good) => watched(good, { silent: ['revokeWhere'] }),
  },
  {
    mistake: 'watch tells before it is done',
    found: ['watch-replace', 'watch-remove', 'watch-revoke'],
    change: (good) => watched(good, { early: true }),
  },
  {
    mistake: 'a watch cannot be stopped',
    found: ['watch-stops'],
    change: (good) => watched(good, { endless: true }),
  },
  {
    mistake: 'stopping a watch stops all',
    found: ['watch-stops'],
    change: (good) => watched(good, { once: true }),
  },
]

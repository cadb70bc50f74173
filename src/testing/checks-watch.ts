import type { StoredKey } from '../model/key.ts'
import { type Bench, type Draft, next, same } from './check-bench.ts'

const AT = 1_900_000_000_000
/** How long a change may take to be told, ms: less than a check may take. */
const PATIENCE = 4_000
const STEP = 10

/** Changes that are told. A hint too many, or `'*'` in place of an id, is harmless. */
export const WATCH_CHECKS: readonly Draft[] = [
  {
    id: 'watch-replace',
    name: 'watch() tells of a key that was replaced, once it is',
    hold: (bench) =>
      holdTold(bench, async (key) => void (await bench.store.replace(next(key, { status: 'disabled' }), key.version))),
  },
  {
    id: 'watch-remove',
    name: 'watch() tells of a key that was removed, once it is',
    hold: (bench) => holdTold(bench, async (key) => void (await bench.store.remove(key.id))),
  },
  {
    id: 'watch-revoke',
    name: 'watch() tells of revokeWhere(), once it is done',
    needs: ['watch', 'revokeWhere'],
    hold: (bench) =>
      holdTold(bench, async () => void (await bench.store.revokeWhere({ prefixes: [bench.prefix] }, AT))),
  },
  {
    id: 'watch-stops',
    name: 'the function that watch() gives stops it, and no other watch',
    hold: async ({ store, added }) => {
      const key = await added()
      const [stopped, others]: [string[], string[]] = [[], []]
      const stop = await store.watch((id) => void stopped.push(id))
      const stopOther = await store.watch((id) => void others.push(id))
      try {
        await stop()
        stopped.length = 0
        others.length = 0
        await store.replace(next(key), key.version)
        await until(() => others.some((id) => id === key.id || id === '*'), 'tell each of several watches')
        same(stopped, [], 'tell nothing to a watch that has been stopped')
      } finally {
        await stopOther()
      }
    },
  },
]

/** Whoever is told of a change asks for the key: what is told too early brings back what was, and is not told again. */
async function holdTold({ store, added }: Bench, change: (key: StoredKey) => Promise<void>): Promise<void> {
  const key = await added()
  let isSeen = false
  const onChange = async (id: string): Promise<void> => {
    if (id !== key.id && id !== '*') return
    const found = await store.find(key.id)
    if (found?.version !== key.version) isSeen = true
  }
  const stop = await store.watch((id) => void onChange(id).catch(() => {}))
  try {
    await change(key)
    await until(() => isSeen, 'tell of every change, by the id or by *, and not before it can be found')
  } finally {
    await stop()
  }
}

async function until(isDone: () => boolean, mend: string): Promise<void> {
  for (let waited = 0; !isDone(); waited += STEP) {
    if (waited >= PATIENCE) throw new Error(mend)
    await new Promise((resolve) => setTimeout(resolve, STEP))
  }
}

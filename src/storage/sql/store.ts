import { KeywardError } from '../../model/errors.ts'
import type { KeyStore } from '../../model/store.ts'
import { opensAccount } from '../accounts.ts'
import { patienceOf } from '../patience.ts'
import { timeline } from '../timeline.ts'
import { type MoveAsk, moveAll } from './accounts.ts'
import { find, insert, list, remove, replace, revokeWhere } from './keys.ts'
import { requireSchema } from './migrate.ts'
import { listNotes, note } from './notes.ts'
import type { Tables } from './schema.ts'
import { type Connections, persistently } from './session.ts'
import { leaseAsk, rowOf, type TakeAsk, takeAsk, takesOver } from './take.ts'
import { touch } from './touch.ts'
import { inTurns } from './turns.ts'
import { type SqlListener, watchOver } from './watch.ts'

/** The verbs over a database, which whoever opened it closes. */
export function storeOver(connections: Connections, tables: Tables, listen?: () => SqlListener): KeyStore {
  const { engine } = connections
  let isOpen = true
  let isReady = false
  const watches = new Set<() => Promise<void>>()

  /** Asks something that is one statement or one transaction. */
  async function ask<T>(work: () => Promise<T>): Promise<T> {
    if (!isOpen) throw closed()
    return persistently(engine, async () => {
      if (!isReady) await requireSchema(connections, tables)
      isReady = true
      return work()
    })
  }

  const clock = engine.clock === undefined ? timeline() : undefined
  const takeAll = takesOver(connections, tables, clock)
  const takeInTurns = inTurns(
    (row: string, asks: readonly TakeAsk[]) => ask(() => takeAll(row, asks)),
    () => patienceOf(store),
  )
  // What is to be settled or given back is, however late: nobody asks for it again.
  const moveInTurns = inTurns((_account: string, asks: readonly MoveAsk[]) =>
    ask(() => moveAll(connections, tables, asks, clock)),
  )

  const store: KeyStore = {
    find: (id) => ask(() => find(connections, tables, id)),
    insert: (key) => ask(() => connections.single((session) => insert(session, tables, key))),
    replace(key, ifVersion) {
      const within = opensAccount(key) ? connections.transaction : connections.single
      return ask(() => within((session) => replace(session, tables, key, ifVersion)))
    },
    remove: (id) => ask(() => connections.transaction((session) => remove(session, tables, id))),
    list: (query) => ask(() => list(connections, tables, query)),
    touch: (marks) => ask(() => touch(connections, tables, marks)),
    async take(id, version, spend, now) {
      const asked = takeAsk(version, spend, now)
      return takeInTurns(rowOf(id, asked.credits?.account), asked)
    },
    async lease(id, version, spend, now) {
      return takeInTurns(rowOf(id, undefined), leaseAsk(version, spend, now))
    },
    async move(credit, now) {
      return moveInTurns(credit.account, { credit, now })
    },
    revokeWhere: (filter, at, reason) => ask(() => revokeWhere(connections, tables, filter, at, reason)),
    note: (notes, keep) => ask(() => connections.transaction((session) => note(session, tables, notes, keep))),
    notes: (query) => ask(() => listNotes(connections, tables, query)),
    ...(listen && { watch: (...told) => watch(listen, ...told) }),
    close: async () => {
      isOpen = false
      await Promise.all([...watches].map((stop) => stop()))
    },
  }
  return store

  async function watch(
    make: () => SqlListener,
    onChange: (id: string | '*') => void,
    onFault?: (error: unknown) => void,
  ): Promise<() => Promise<void>> {
    if (!isOpen) throw closed()
    const end = await watchOver({ make, channel: tables.channel, onChange, onFault })
    const stop = async (): Promise<void> => {
      watches.delete(stop)
      await end()
    }
    watches.add(stop)
    // Closed meanwhile, it was not stopped with the others.
    if (!isOpen) await stop()
    return stop
  }
}

function closed(): KeywardError {
  return new KeywardError('STORE', 'the SQL store is closed')
}

import { type ApiKeys, createApiKeys, type KeyStore } from 'keyward'
import { sqlStore } from 'keyward/sql'
import type { SqlDatabase } from '../src/storage/sql/database.ts'
import { connect } from '../test/storage/sql/databases.ts'
import { listenAt } from './bus.ts'
import { startFleet } from './fleet.ts'
import { pause } from './moment.ts'
import { openPlace, type Place, prefixOf, type Running, type ServerName, startPlace } from './place.ts'
import { type Finding, ms } from './report.ts'
import { fill, PREFIX, print, shelfAt } from './shelf.ts'

export interface BulkPlan {
  readonly engines: readonly ServerName[]
  /** Of one owner. */
  readonly keys: number
}

export const BULK: BulkPlan = { engines: ['Redis', 'Redis Cluster', 'PostgreSQL', 'MariaDB'], keys: 100_000 }
export const LITTLE_BULK: BulkPlan = { ...BULK, keys: 2_000 }

export interface Bulk {
  readonly engine: ServerName
  /** What `revokeAll` answered, and how long it took, ms. */
  readonly revoked: number
  readonly took: number
  /** Of some of its keys, presented elsewhere as soon as it had answered: how many were no longer admitted. */
  readonly refused: number
  readonly presented: number
  /** What it answered when it was called again. */
  readonly again: number
  /** In SQL. */
  readonly statements: number | undefined
  /** What the bus told meanwhile, where there is one. */
  readonly told: readonly string[] | undefined
  readonly crashes: readonly Crash[]
}

/** Something ended with `kill -9` half-way, and then the same call was made again. */
export interface Crash {
  readonly of: 'caller' | 'store'
  /** How many were revoked by then, and how many by the second call. */
  readonly before: number
  readonly after: number
  readonly again: number
}

/** All keys of one owner are revoked by one call. */
export async function bulk(plan: BulkPlan): Promise<readonly Bulk[]> {
  const found: Bulk[] = []
  for (const engine of plan.engines) {
    const running = await startPlace(engine)
    try {
      found.push(await bulkOn(engine, running, plan))
    } finally {
      await running.end()
    }
  }
  return found
}

async function bulkOn(engine: ServerName, running: Running, plan: BulkPlan): Promise<Bulk> {
  const { place } = running
  const shelf = await shelfAt(place)
  const { keys: printed, texts } = await print(plan.keys, () => 'whole')
  await fill(shelf, printed)
  const bus = await listenAt(place)
  const { store, statements, close } = openCounted(place)
  const keys = createApiKeys({ prefix: PREFIX, store, storeTimeout: '10s' })
  const elsewhere = createApiKeys({ prefix: PREFIX, store: shelf.store, cache: false, storeTimeout: '10s' })
  try {
    // The first call of a process looks at the schema besides.
    await keys.list({ owner: 'whole', limit: 1 })
    const earlier = statements()
    const start = performance.now()
    const revoked = await keys.revokeAll({ owner: 'whole' })
    const took = performance.now() - start
    const asked = statements() - earlier
    const some = texts.filter((_, at) => at % Math.ceil(texts.length / 100) === 0)
    const verdicts = await Promise.all(some.map((text) => elsewhere.verify(text)))
    const told = bus && [...bus.heard]
    const again = await keys.revokeAll({ owner: 'whole' })
    const crashes: Crash[] = []
    for (const of of engine === 'Redis' ? (['caller', 'store'] as const) : (['caller'] as const)) {
      const owner = `the ${of} ends`
      await fill(shelf, (await print(plan.keys, () => owner)).keys)
      crashes.push({ of, ...(await crash({ running, of, owner, keys, count: plan.keys, took })) })
    }
    return {
      ...{ engine, revoked, took, again, told, crashes },
      refused: verdicts.filter((verdict) => !verdict.ok && verdict.code === 'revoked').length,
      presented: some.length,
      statements: engine === 'PostgreSQL' || engine === 'MariaDB' ? asked : undefined,
    }
  } finally {
    await Promise.all([keys.close(), elsewhere.close(), bus?.end()])
    await Promise.all([close(), shelf.close()])
  }
}

interface CrashSite {
  readonly running: Running
  readonly of: Crash['of']
  readonly owner: string
  readonly keys: Pick<ApiKeys, 'revokeAll' | 'list'>
  readonly count: number
  /** How long such a call has taken, ms. */
  readonly took: number
}

async function crash({ running, of, owner, keys, count, took }: CrashSite): Promise<Omit<Crash, 'of'>> {
  const fleet = await startFleet(1, { place: running.place })
  try {
    const [caller] = fleet.workers
    const call = caller?.order({ do: 'revokeAll', owner })
    // It ends with its process, or with an error.
    call?.catch(() => {})
    await halfWay(
      running.place,
      took,
      async () => (await keys.list({ owner, limit: 1 })).items[0]?.status === 'revoked',
    )
    if (of === 'caller') await caller?.kill()
    else await running.kill()
    if (of === 'store') await running.start()
    const after = await persistently(() => keys.revokeAll({ owner }))
    return { before: count - after, after, again: await keys.revokeAll({ owner }) }
  } finally {
    await fleet.end()
  }
}

/** Of one statement nothing is to be seen before its end; of chunks, the newest key goes first. */
async function halfWay({ engine }: Place, took: number, hasBegun: () => Promise<boolean>): Promise<void> {
  if (engine !== 'Redis' && engine !== 'Redis Cluster') return pause(took / 2)
  while (!(await hasBegun())) await pause(1)
}

/** Right after its start the store may be given up on still. */
async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await work()
    } catch (error) {
      if (tried === 20) throw error
      await pause(100)
    }
  }
}

/** A store, and how many statements it has sent to its database. */
function openCounted(place: Place): { store: KeyStore; statements: () => number; close: () => Promise<void> } {
  if (place.engine === 'Redis' || place.engine === 'Redis Cluster')
    return { ...openPlace(place, { isPatient: true }), statements: () => 0 }
  const kysely = connect(place)
  let count = 0
  const counted = (database: SqlDatabase): SqlDatabase => ({
    isTransaction: database.isTransaction,
    withoutPlugins: () => counted(database.withoutPlugins()),
    connection: () => ({ execute: (work) => database.connection().execute((one) => work(counted(one))) }),
    getExecutor: () => database.getExecutor(),
    executeQuery(query) {
      count++
      return database.executeQuery(query)
    },
  })
  const store = sqlStore(counted(kysely), { prefix: prefixOf(place) })
  return { store, statements: () => count, close: () => kysely.destroy() }
}

export function bulkFinding({ keys }: BulkPlan, found: readonly Bulk[]): Finding {
  const rows = found.map((one) => [
    one.engine,
    one.revoked,
    ms(one.took),
    `${one.refused} of ${one.presented}`,
    one.statements ?? 'in chunks',
    one.told === undefined ? 'no bus' : one.told.map((what) => `'${what}'`).join(' '),
    ...(['caller', 'store'] as const).map((of) => shownCrash(one.crashes.find((each) => each.of === of))),
    isKept(one, keys),
  ])
  return {
    name: 'bulk',
    title: `revokeAll of ${keys.toLocaleString('en-US')} keys of one owner`,
    promise: `One statement in SQL, chunks in Redis; the bus says '*' once. Where the calling process, or the store, ends by kill -9 half-way, what was revoked stays so, and the same call again revokes the rest.`,
    columns: [
      ...['store', 'revoked', 'ms', 'refused elsewhere at once', 'statements', 'bus'],
      ...['caller killed: before + after', 'store killed: before + after', 'kept'],
    ],
    rows,
    notes: [],
  }
}

function isKept({ revoked, refused, presented, again, statements, told, crashes }: Bulk, keys: number): boolean {
  const isOne = (statements ?? 1) === 1 && (told === undefined || (told.length === 1 && told[0] === '*'))
  // One statement does all or nothing; chunks are to have got somewhere, and not to the end, or nothing was shown.
  const isHalf = ({ before }: Crash) =>
    statements === undefined ? before > 0 && before < keys : before === 0 || before === keys
  return (
    revoked === keys &&
    refused === presented &&
    again === 0 &&
    isOne &&
    crashes.every((one) => isHalf(one) && one.again === 0)
  )
}

function shownCrash(one: Crash | undefined): string {
  return one === undefined ? '—' : `${one.before.toLocaleString('en-US')} + ${one.after.toLocaleString('en-US')}`
}

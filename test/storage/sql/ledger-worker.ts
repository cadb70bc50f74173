import { type ApiKeysOptions, createApiKeys } from 'keyward'
import { sqlStore } from '../../../src/storage/sql.ts'
import { storedKey } from '../stored-key.ts'
import { connect, type Target } from './databases.ts'

/** What a process of `processes.test.ts` does with the database that all of them share. */
export type SqlJob = { readonly target: Target; readonly prefix: string } & (
  | {
      readonly do: 'verify'
      readonly credits: NonNullable<ApiKeysOptions['credits']>
      readonly keys: readonly string[]
      /** How often it asks, all at once, with one key after the other. */
      readonly times: number
      readonly reserve?: number
      /** What is settled when all have asked, one after the other; `null` gives the hold back. */
      readonly actual?: readonly (number | null)[]
    }
  | { readonly do: 'name'; readonly mark: string; readonly names: readonly string[] }
)

export interface SqlAnswer {
  readonly served: number
  /** The codes of those who were not. */
  readonly refused: readonly string[]
  readonly charged: number
}

process.on('message', (job: SqlJob) => {
  work(job).then(
    (answer) => process.send?.(answer),
    (error) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.send?.('ready')

async function work(job: SqlJob): Promise<SqlAnswer> {
  const kysely = connect(job.target)
  try {
    const { store, rest } = restless(sqlStore(kysely, { prefix: job.prefix }))
    const answer = job.do === 'verify' ? await verify(store, job) : await claim(store, job)
    await rest()
    return answer
  } finally {
    await kysely.destroy()
  }
}

type Store = ReturnType<typeof sqlStore>

/** A hold is given back behind the caller's back: `rest` waits for that. */
function restless(inner: Store) {
  const moves: unknown[] = []
  const move: Store['move'] = (credit, now) => {
    const moved = inner.move?.(credit, now)
    moves.push(moved)
    return moved as NonNullable<typeof moved>
  }
  return { store: { ...inner, move }, rest: () => Promise.allSettled(moves) }
}

async function verify(store: Store, job: Extract<SqlJob, { readonly do: 'verify' }>): Promise<SqlAnswer> {
  const { credits, keys: texts, times, reserve, actual } = job
  const keys = createApiKeys({ prefix: 'agk_', store, credits, storeTimeout: '30s' })
  const demand = reserve === undefined ? {} : { reserve }
  const asked = Array.from({ length: times }, (_, at) => keys.verify(texts[at % texts.length] ?? '', demand))
  const verdicts = await Promise.all(asked)
  const settled = verdicts.map(async (verdict, at) => {
    const amount = actual?.[at % actual.length]
    if (!verdict.ok || amount === undefined) return 0
    if (amount !== null) return (await verdict.access?.settle(amount))?.charged ?? 0
    verdict.release?.()
    return 0
  })
  const charged = (await Promise.all(settled)).reduce((sum, amount) => sum + amount, 0)
  await keys.close()
  const refused = verdicts.flatMap((verdict) => (verdict.ok ? [] : [verdict.code]))
  return { served: times - refused.length, refused, charged }
}

async function claim(store: Store, job: Extract<SqlJob, { readonly do: 'name' }>): Promise<SqlAnswer> {
  const refused: string[] = []
  const claims = job.names.map(async (uniqueName) => {
    try {
      await store.insert(storedKey({ id: `${job.mark}${uniqueName}`, uniqueName }))
    } catch (error) {
      refused.push(String((error as { readonly code?: string }).code))
    }
  })
  await Promise.all(claims)
  return { served: job.names.length - refused.length, refused, charged: 0 }
}

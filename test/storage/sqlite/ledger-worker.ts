import { createApiKeys, type Verdict, type Whom } from 'keyward'
import { sqliteStore } from '../../../src/storage/sqlite.ts'

/** What a process of `ledger.test.ts` does with the keys that all of them share. */
export interface LedgerJob {
  readonly file: string
  readonly credits: 'key' | 'owner'
  readonly keys: readonly string[]
  /** How often it asks, all at once, with one key after the other. */
  readonly times: number
  readonly reserve?: number
  /** What is settled when all have asked, one after the other; `null` gives the hold back. */
  readonly actual?: readonly (number | null)[]
  /** Whose balance is looked at after every deed. */
  readonly watched?: Whom
}

export interface LedgerAnswer {
  readonly served: number
  /** How often each code was answered. */
  readonly refused: Readonly<Record<string, number>>
  readonly charged: number
  /** The lowest balance that was seen; 0 where none was looked at. */
  readonly lowest: number
}

type Admitted = Extract<Verdict, { readonly ok: true }>

process.on('message', (job: LedgerJob) => void work(job).then((answer) => process.send?.(answer)))
process.send?.('ready')

async function work(job: LedgerJob): Promise<LedgerAnswer> {
  const { file, credits, times, watched, reserve, actual = [null] } = job
  const store = sqliteStore(file, { busyTimeout: 10_000 })
  const keys = createApiKeys({ prefix: 'agk_', store, credits, storeTimeout: 10_000 })
  let lowest = 0
  const watch = async () => {
    if (watched !== undefined) lowest = Math.min(lowest, await keys.balance(watched))
  }
  const ask = async (time: number): Promise<Verdict> => {
    await turn()
    const verdict = await keys.verify(job.keys[time % job.keys.length] ?? '', reserve === undefined ? {} : { reserve })
    await watch()
    return verdict
  }
  const verdicts = await Promise.all(Array.from({ length: times }, (_, time) => ask(time)))
  const admitted = verdicts.flatMap((verdict) => (verdict.ok ? [verdict] : []))
  let charged = 0
  const end = async (verdict: Admitted, index: number) => {
    await turn()
    charged += await settle(verdict, actual[index % actual.length] ?? null)
    await watch()
  }
  await Promise.all(admitted.map(end))
  await keys.close()
  await store.close?.()
  return { served: admitted.length, refused: counted(verdicts), charged, lowest }
}

function counted(verdicts: readonly Verdict[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const verdict of verdicts) if (!verdict.ok) counts[verdict.code] = (counts[verdict.code] ?? 0) + 1
  return counts
}

/** Each twice, as a handler that is tried again does: the second time changes nothing, and answers the same. */
async function settle({ access, release }: Admitted, actual: number | null): Promise<number> {
  if (actual === null) {
    release?.()
    release?.()
    return 0
  }
  if (access === undefined) throw new Error('nobody was admitted')
  const { charged, short } = await access.settle(actual)
  const again = await access.settle(actual)
  if (charged + short !== actual || again.charged !== charged) throw new Error('settled otherwise than answered')
  return charged
}

/** Lets the other processes, and the other callers of this one, go on. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

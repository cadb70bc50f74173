import { sqliteStore } from '../../../src/storage/sqlite.ts'
import { storedKey } from '../stored-key.ts'

/** What a process of `processes.test.ts` does with the file that all of them share. */
export type Job =
  | { readonly do: 'open'; readonly id: string }
  | { readonly do: 'take'; readonly id: string; readonly times: number; readonly limits: readonly number[] }
  | { readonly do: 'name'; readonly id: string; readonly names: readonly string[] }

const [file = '', text = ''] = process.argv.slice(2)
const job = JSON.parse(text) as Job

// Every process says that it is there, and starts when all are.
process.once('message', () => {
  process.send?.(run())
  process.disconnect()
})
process.send?.('ready')

/** How often it succeeded. */
function run(): number {
  const store = sqliteStore(file, { busyTimeout: 10_000 })
  let count = 0
  if (job.do === 'open') {
    store.insert(storedKey({ id: job.id }))
    count = 1
  }
  if (job.do === 'take') {
    const windows = job.limits.map((limit, at) => ({ name: `w${at}`, limit, ms: 3_600_000 }))
    for (let time = 0; time < job.times; time++) {
      const taken = store.take?.(job.id, 7, { windows, cost: 1 }, Date.now())
      if (taken !== undefined && 'ok' in taken && taken.ok) count++
    }
  }
  if (job.do === 'name') {
    for (const uniqueName of job.names) {
      try {
        store.insert(storedKey({ id: `${job.id}${uniqueName}`, uniqueName }))
        count++
      } catch (error) {
        if ((error as { code?: string }).code !== 'CONFLICT') throw error
      }
    }
  }
  store.close?.()
  return count
}

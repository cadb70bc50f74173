import cluster, { type Worker } from 'node:cluster'
import express from 'express'
import { createApiKeys, memoryStore } from 'keyward'
import { guard } from 'keyward/express'
import { sqliteStore } from 'keyward/sqlite'

/** What the cluster of `cluster.test.ts` is given: a file for all workers, or none, and the limit of its key. */
export interface ClusterJob {
  readonly workers: number
  readonly limit: number
  readonly file?: string | undefined
}

/** What it tells when all its workers listen; `warnings` again when it is asked. */
export interface ClusterAnswer {
  readonly port: number
  readonly key: string
  /** The codes of warnings, by process; the first process is the primary. */
  readonly warnings: readonly (readonly string[])[]
}

const job = JSON.parse(process.argv[2] ?? '{}') as ClusterJob
const ID = 'cluster00000'
/** By which every process makes the same key, also where each has a store of its own. */
const SAME = { generateId: () => ID, random: (size: number) => new Uint8Array(size).fill(7) }
const said: string[] = []
process.on('warning', (warning) => said.push(String((warning as { code?: string }).code ?? warning.name)))

if (cluster.isPrimary) void lead()
else void work()

async function lead(): Promise<void> {
  // The first comes alone, so that it alone makes the key where they share a file.
  const first = cluster.fork()
  const port = (await message(first)) as number
  const others = Array.from({ length: job.workers - 1 }, () => cluster.fork())
  await Promise.all(others.map(message))
  const { key } = await createApiKeys({ prefix: 'clu_', ...SAME }).create({ owner: 'acct_1' })
  tell({ port, key, warnings: [] })
  process.on('message', async () => {
    const warnings = [said]
    for (const worker of [first, ...others]) {
      worker.send('warnings')
      warnings.push((await message(worker)) as string[])
    }
    tell({ port, key, warnings })
  })
  process.once('disconnect', () => cluster.disconnect())
}

function tell(answer: ClusterAnswer): void {
  process.send?.(answer)
}

function message(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const died = () => reject(new Error('a worker ended'))
    worker.once('exit', died)
    worker.once('message', (told) => {
      worker.off('exit', died)
      resolve(told)
    })
  })
}

async function work(): Promise<void> {
  const store = job.file === undefined ? memoryStore() : sqliteStore(job.file, { busyTimeout: 10_000 })
  const keys = createApiKeys({ prefix: 'clu_', store, storeTimeout: '10s', ...SAME })
  if ((await keys.get(ID)) === undefined) await keys.create({ owner: 'acct_1', limits: { hour: job.limit } })
  const app = express()
  app.get('/', guard(keys), (_req, res) => void res.json({ pid: process.pid }))
  const server = app.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.send?.(typeof address === 'object' ? address?.port : 0)
  })
  process.on('message', (asked) => {
    if (asked === 'warnings') process.send?.(said)
  })
}

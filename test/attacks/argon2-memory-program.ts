import { createApiKeys, memoryStore } from 'keyward'
import { argon2id } from 'keyward/argon2'

/** What the process of `argon2-memory.test.ts` is given. */
export interface MemoryJob {
  /** Memory of one hash, KiB. */
  readonly memory: number
  readonly concurrency: number
}

/** What it tells: how the flood was answered, and by how much the most memory that it ever held exceeded that before it, KiB. */
export interface MemoryAnswer {
  readonly codes: readonly string[]
  readonly grown: number
}

const { memory, concurrency } = JSON.parse(process.argv[2] ?? '{}') as MemoryJob
const hasher = argon2id({ memory, passes: 1, concurrency, queue: 20 })
const keys = createApiKeys({ prefix: 'mem_', hasher, generateId: () => 'memory000000' })
await keys.create({ owner: 'acct_1' })

/** Keys of another instance: of the same id, or of ids that nobody has. */
const made = (generateId?: () => string) => {
  const store = { ...memoryStore(), insert: () => {} }
  const elsewhere = createApiKeys({ prefix: 'mem_', store, ...(generateId && { generateId }) })
  return Promise.all(Array.from({ length: 500 }, () => elsewhere.create({ owner: 'nobody' })))
}

const wrong = [...(await made(() => 'memory000000')), ...(await made())]
const before = process.memoryUsage().rss / 1024
const verdicts = await Promise.all(wrong.map(({ key }) => keys.verify(key)))
const codes = [...new Set(verdicts.map((verdict) => (verdict.ok ? 'admitted' : verdict.code)))]
const answer: MemoryAnswer = { codes, grown: process.resourceUsage().maxRSS - before }
process.send?.(answer)
process.disconnect?.()

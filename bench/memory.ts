import assert from 'node:assert/strict'
import { type ApiKeys, createApiKeys, memoryStore } from 'keyward'

/** What a key takes in a memory store, in bytes of heap. */
export interface Memory {
  readonly keys: number
  /** As created. */
  readonly stored: number
  /** Once each was used: with the counters of its two windows and what is remembered of 10,000 keys. */
  readonly used: number
}

const KEYS = 100_000
const LENGTH = 'agk_live_'.length + 50

// A process of its own, with --expose-gc. The texts of the keys lie outside of the heap.
const texts = Buffer.alloc(KEYS * LENGTH)
await create(newKeys(), 1000) // Code is compiled before anything is weighed.

const keys = newKeys()
const before = weigh()
await create(keys, KEYS)
const stored = weigh()
await use()
const used = weigh()
assert((await keys.list({ owner: 'acct_7' })).items.length > 0)

const memory: Memory = { keys: KEYS, stored: (stored - before) / KEYS, used: (used - before) / KEYS }
process.send?.(memory)
process.disconnect?.()

function newKeys(): ApiKeys {
  return createApiKeys({ prefix: 'agk_live_', store: memoryStore() })
}

/** Keys of an owner each, with scopes and limits of their own. */
async function create(keys: ApiKeys, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const { key } = await keys.create({
      owner: `acct_${n}`,
      scopes: ['contacts:read', 'contacts:update'],
      limits: { minute: 60, hour: 1000 },
    })
    texts.write(key, n * LENGTH, 'latin1')
  }
}

async function use(): Promise<void> {
  for (let n = 0; n < KEYS; n++) {
    const verdict = await keys.verify(texts.toString('latin1', n * LENGTH, (n + 1) * LENGTH))
    assert(verdict.ok)
  }
  await keys.flush()
}

function weigh(): number {
  for (let times = 0; times < 3; times++) globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { MemoryAnswer, MemoryJob } from './argon2-memory-program.ts'

const program = fileURLToPath(new URL('argon2-memory-program.ts', import.meta.url))
const MIB = 1024

async function flood(job: MemoryJob): Promise<MemoryAnswer> {
  const child = fork(program, [JSON.stringify(job)], { execArgv: ['--import', 'tsx'] })
  const [answer] = (await once(child, 'message')) as [MemoryAnswer]
  return answer
}

describe('A. Memory of a flood', () => {
  // Where nothing bounded them, the four threads of Node's pool would hold 4 × 128 MiB.
  it.each([1, 2])(
    'A-01 of 500 wrong secrets and 500 unknown ids at once is that of the %i hashes that run, and 64 MiB',
    async (concurrency) => {
      const { codes, grown } = await flood({ memory: 128 * MIB, concurrency })
      expect([...codes].sort()).toEqual(['invalid_key', 'unavailable'])
      expect(grown).toBeGreaterThan(32 * MIB)
      expect(grown).toBeLessThanOrEqual((concurrency * 128 + 64) * MIB)
    },
    60_000,
  )
})

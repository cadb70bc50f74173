import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApiKeys } from 'keyward'
import { sqliteStore } from 'keyward/sqlite'
import { expect, it, onTestFinished } from 'vitest'
import { compiled } from '../support/compiled.ts'
import { judged } from '../support/outcome.ts'

const PROGRAM = new URL('killed-rotation-program.ts', import.meta.url)
const ROUNDS = 2

it('X-07 a process that is killed while it rotates leaves a key that lives, with two secrets at the most, and can be rotated', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-killed-'))
  const file = join(folder, 'keys.db')
  const store = sqliteStore(file)
  const keys = createApiKeys({ prefix: 'kr_', store, cache: false, storeTimeout: '10s' })
  onTestFinished(async () => {
    await keys.close()
    await store.close?.()
    rmSync(folder, { recursive: true })
  })
  const { key: first, record } = await keys.create({ owner: 'acct_1' })
  const secrets = [first]
  for (let round = 0; round < ROUNDS; round++) {
    secrets.push(...(await killedAfter(10 + 13 * round, file, record.id)))
    const codes = await Promise.all(secrets.map((key) => judged(keys, key)))
    const live = secrets.filter((_, at) => codes[at] === 'admitted')
    // The last one that was told works: it is current, or in its overlap when the next was written and told nobody.
    expect(live).toContain(secrets.at(-1))
    expect(live.length).toBeLessThanOrEqual(2)
    expect(new Set(codes)).toEqual(new Set(['admitted', 'invalid_key']))
    expect((await keys.list({ owner: 'acct_1' })).items).toMatchObject([{ id: record.id, status: 'active' }])
  }
  const { key } = await keys.rotate(record.id, { overlap: 0 })
  expect(await judged(keys, key)).toBe('admitted')
  for (const old of secrets) expect(await judged(keys, old)).toBe('invalid_key')
})

/** What was told by a process that rotates, and is killed somewhere after so many. */
async function killedAfter(count: number, file: string, id: string): Promise<readonly string[]> {
  const child = fork(await compiled(PROGRAM), [file, id], { execArgv: [] })
  const told: string[] = []
  child.on('message', (key) => {
    told.push(String(key))
    if (told.length === count) child.kill('SIGKILL')
  })
  const [code, signal] = await once(child, 'close')
  expect([code, signal]).toEqual([null, 'SIGKILL'])
  return told
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiKeysOptions, createApiKeys } from 'keyward'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { sqliteStore } from '../../../src/storage/sqlite.ts'
import { type Crew, startCrew } from '../crew.ts'
import type { LedgerAnswer, LedgerJob } from './ledger-worker.ts'

const PROCESSES = 4
const folder = mkdtempSync(join(tmpdir(), 'keyward-'))
let crew: Crew<LedgerJob, LedgerAnswer> | undefined

beforeAll(async () => {
  crew = await startCrew('sqlite/ledger-worker.ts', PROCESSES)
}, 30_000)
afterAll(() => {
  crew?.end()
  rmSync(folder, { recursive: true })
})

describe(`${PROCESSES} processes that serve the same keys from one file`, () => {
  it('admit exactly the limit of a key together, and count it once in every window', async () => {
    const { keys, serve } = open('limit')
    const { key } = await keys.create({ owner: 'acct_1', limits: { hour: 97, day: 500 } })
    const answer = await serve({ keys: [key], times: 60 })
    expect(answer).toMatchObject({ served: 97, refused: { rate_limited: 4 * 60 - 97 } })
    const last = await keys.verify(key, { cost: 0 })
    expect(last.ok && last.access?.readings.map(({ name, remaining }) => [name, remaining])).toEqual([
      ['hour', 0],
      ['day', 500 - 97],
    ])
  })

  it('serve exactly one of 100 callers with the last unit of credit', async () => {
    const { keys, serve } = open('last')
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 1 } })
    const watched = { id: record.id }
    const answer = await serve({ keys: [key], times: 25, watched })
    expect(answer).toEqual({ served: 1, refused: { insufficient_balance: 99 }, charged: 0, lowest: 0 })
    expect(await keys.balance(watched)).toBe(0)
  })

  it("serve exactly what an owner's balance pays for, over several keys", async () => {
    const { keys, serve } = open('owner', 'owner')
    const watched = { owner: 'acct_1' }
    await keys.credit(watched, 61)
    const made = [await keys.create(watched), await keys.create(watched), await keys.create(watched)]
    const other = await keys.create({ owner: 'acct_2' })
    const texts = [...made, other].map(({ key }) => key)
    const answer = await serve({ keys: texts, times: 32, watched })
    expect(answer).toMatchObject({ served: 61, refused: { insufficient_balance: 4 * 32 - 61 }, lowest: 0 })
    expect(await keys.balance(watched)).toBe(0)
    expect(await keys.balance({ owner: 'acct_2' })).toBe(0)
  })

  it('charge together what is missing from the balance, however they hold, settle and give back', async () => {
    const { keys, serve } = open('holds')
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 300 } })
    const watched = { id: record.id }
    const actual = [7, null, 0, 10, 25, 1, null, 400]
    const answer = await serve({ keys: [key], times: 16, reserve: 10, actual, watched })
    // A process that is done before another begins leaves more to be held, so that is not exact.
    expect(answer.served).toBeGreaterThanOrEqual(16)
    expect(answer.lowest).toBe(0)
    expect(answer.charged).toBeGreaterThan(0)
    expect(await keys.balance(watched)).toBe(300 - answer.charged)
  })

  it('charge each hold what it used where there is enough for all', async () => {
    const { keys, serve } = open('enough')
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 1_000 } })
    const watched = { id: record.id }
    const answer = await serve({ keys: [key], times: 10, reserve: 10, actual: [3, null, 10, 0, 14], watched })
    expect(answer).toEqual({ served: 40, refused: {}, charged: 4 * 2 * (3 + 10 + 0 + 14), lowest: 0 })
    expect(await keys.balance(watched)).toBe(1_000 - answer.charged)
  })
})

/** Keys in a new file until the test ends, and how all processes serve them together. */
function open(name: string, credits: NonNullable<ApiKeysOptions['credits']> = 'key') {
  const file = join(folder, `${name}.db`)
  const store = sqliteStore(file)
  const keys = createApiKeys({ prefix: 'agk_', store, credits })
  onTestFinished(async () => {
    await keys.close()
    await store.close?.()
  })
  const serve = async (job: Omit<LedgerJob, 'file' | 'credits'>) =>
    total((await crew?.work({ file, credits, ...job })) ?? [])
  return { keys, serve }
}

function total(answers: readonly LedgerAnswer[]): LedgerAnswer {
  const refused: Record<string, number> = {}
  for (const answer of answers) {
    for (const [code, times] of Object.entries(answer.refused)) refused[code] = (refused[code] ?? 0) + times
  }
  const sum = (of: 'served' | 'charged') => answers.reduce((all, answer) => all + answer[of], 0)
  return {
    served: sum('served'),
    refused,
    charged: sum('charged'),
    lowest: Math.min(...answers.map(({ lowest }) => lowest)),
  }
}

import { type ApiKeysOptions, createApiKeys } from 'keyward'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { migrate, sqlStore } from '../../../src/storage/sql.ts'
import { type Crew, startCrew } from '../crew.ts'
import { connect, ENGINES, type Prepared, prepare } from './databases.ts'
import type { SqlAnswer, SqlJob } from './ledger-worker.ts'

const PROCESSES = 4
let crew: Crew<SqlJob, SqlAnswer>

beforeAll(async () => {
  crew = await startCrew('sql/ledger-worker.ts', PROCESSES)
}, 30_000)
afterAll(() => crew?.end())

describe.each(ENGINES)(`${PROCESSES} processes on one %s`, (engine) => {
  let prepared: Prepared
  let kysely: ReturnType<typeof connect>
  let count = 0

  beforeAll(async () => {
    prepared = await prepare(engine)
    kysely = connect(prepared.target)
  }, 60_000)
  afterAll(async () => {
    await kysely?.destroy()
    await prepared?.end()
  })

  /** Keys in tables of their own, and how all processes serve them together. */
  async function open(credits: NonNullable<ApiKeysOptions['credits']> = 'key') {
    const prefix = `t${++count}_`
    await migrate(kysely, { prefix })
    const store = sqlStore(kysely, { prefix })
    const keys = createApiKeys({ prefix: 'agk_', store, credits, storeTimeout: '30s' })
    onTestFinished(() => keys.close())
    const { target } = prepared
    const serve = async (job: Omit<Extract<SqlJob, { do: 'verify' }>, 'do' | 'target' | 'prefix' | 'credits'>) =>
      total(await crew.work({ do: 'verify', target, prefix, credits, ...job }))
    return { keys, serve, prefix, target }
  }

  it('L-05, L-03: admit exactly the limit of a key together, and count it once in every window', async () => {
    const { keys, serve } = await open()
    const { key } = await keys.create({ owner: 'acct_1', limits: { hour: 97, day: 500 } })
    const answer = await serve({ keys: [key], times: 64 })
    expect(answer).toMatchObject({ served: 97, refused: { rate_limited: PROCESSES * 64 - 97 } })
    const last = await keys.verify(key, { cost: 0 })
    expect(last.ok && last.access?.readings.map(({ name, remaining }) => [name, remaining])).toEqual([
      ['hour', 0],
      ['day', 500 - 97],
    ])
  })

  it('L-22: serve exactly one of 100 callers with the last unit of credit', async () => {
    const { keys, serve } = await open()
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 1 } })
    const answer = await serve({ keys: [key], times: 25 })
    expect(answer).toEqual({ served: 1, refused: { insufficient_balance: 99 }, charged: 0 })
    expect(await keys.balance({ id: record.id })).toBe(0)
  })

  it("serve exactly what an owner's balance pays for, over several keys", async () => {
    const { keys, serve } = await open('owner')
    await keys.credit({ owner: 'acct_1' }, 61)
    const made = [await keys.create({ owner: 'acct_1' }), await keys.create({ owner: 'acct_1' })]
    const other = await keys.create({ owner: 'acct_2' })
    const answer = await serve({ keys: [...made, other].map(({ key }) => key), times: 32 })
    expect(answer).toMatchObject({ served: 61, refused: { insufficient_balance: PROCESSES * 32 - 61 } })
    expect(await keys.balance({ owner: 'acct_1' })).toBe(0)
  })

  it('charge together what is missing from the balance, however they hold, settle and give back', async () => {
    const { keys, serve } = await open()
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 1_000 } })
    const answer = await serve({ keys: [key], times: 10, reserve: 10, actual: [3, null, 10, 0, 14] })
    expect(answer).toEqual({ served: 40, refused: {}, charged: 4 * 2 * (3 + 10 + 0 + 14) })
    expect(await keys.balance({ id: record.id })).toBe(1_000 - answer.charged)
  })

  it('never charge more than there is', async () => {
    const { keys, serve } = await open()
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 300 } })
    const answer = await serve({ keys: [key], times: 16, reserve: 10, actual: [7, null, 25, 400] })
    // A process that is done before another begins leaves more to be held, so that is not exact.
    expect(answer.served).toBeGreaterThanOrEqual(16)
    expect(answer.charged).toBeGreaterThan(0)
    expect(await keys.balance({ id: record.id })).toBe(300 - answer.charged)
  })

  it('let one of them win each name', async () => {
    const { prefix, target } = await open()
    const names = Array.from({ length: 30 }, (_, at) => `name ${at}`)
    const marked = Object.assign({ do: 'name', target, prefix, names } as const, { mark: '' })
    // Ids may be equal too: whichever of the two is taken, one of all processes has it.
    const answers = total(await crew.work(marked))
    expect(answers).toEqual({ served: names.length, refused: { CONFLICT: 3 * names.length }, charged: 0 })
  })
})

function total(answers: readonly SqlAnswer[]) {
  const refused: Record<string, number> = {}
  for (const code of answers.flatMap((answer) => answer.refused)) refused[code] = (refused[code] ?? 0) + 1
  return {
    served: answers.reduce((sum, { served }) => sum + served, 0),
    refused,
    charged: answers.reduce((sum, { charged }) => sum + charged, 0),
  }
}

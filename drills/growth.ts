import { createApiKeys, type KeyStore } from 'keyward'
import { Texts } from '../bench/fresh.ts'
import { type Finding, ms, percentile } from './report.ts'
import { ENGINES, type EngineName, fill, openShelves, PREFIX, type Printed, print, type Shelves } from './shelf.ts'

export interface GrowthPlan {
  readonly engines: readonly EngineName[]
  readonly few: number
  readonly many: number
  /** Rounds, each of so many verifications and lists of either store. */
  readonly rounds: number
  readonly calls: number
}

/** A Cluster does for each key what Redis does. */
const OF_INTEREST = ENGINES.filter((engine) => engine !== 'Redis Cluster')

export const GROWTH: GrowthPlan = { engines: OF_INTEREST, few: 1_000, many: 1_000_000, rounds: 40, calls: 250 }
export const LITTLE_GROWTH: GrowthPlan = { ...GROWTH, few: 100, many: 3_000, rounds: 2, calls: 20 }

/** What is measured: the record is read anew each time, or with it a window is taken from; or an owner's keys are read. */
const WORKS = ['verify', 'verify with a limit', 'list'] as const
export type Work = (typeof WORKS)[number]

export interface Growth {
  readonly engine: EngineName
  /** Absent in memory, where `npm run bench` weighs them. */
  readonly bytesPerKey: number | undefined
  /** µs a call, by round; those of one index were measured one after the other. */
  readonly times: Readonly<Record<Work, { readonly few: readonly number[]; readonly many: readonly number[] }>>
}

/** Of every other key; the rest have owners of `OF_ONE` keys each. */
const WHALE = 'whale'
const OF_ONE = 20
/** What many keys may cost, by what few cost. */
const MOST = 1.3
/** Verifications under way at once. */
const AT_ONCE = 16

/** Each engine has a store of few keys beside one of many: what does it cost to have many? */
export async function growth(plan: GrowthPlan, say: (text: string) => void = () => {}): Promise<readonly Growth[]> {
  const found: Growth[] = []
  const printed = await print(plan.many, ownerOf)
  for (const engine of plan.engines) {
    say(`${engine} ...`)
    const shelves = await openShelves(engine)
    try {
      found.push(await growthOf(engine, shelves, printed, plan))
    } finally {
      await shelves.end()
    }
  }
  return found
}

async function growthOf(
  engine: EngineName,
  { small, large }: Shelves,
  printed: Printed,
  plan: GrowthPlan,
): Promise<Growth> {
  await fill(small, printed.keys.slice(0, plan.few))
  const few = benchOf(small.store, printed.texts.slice(0, plan.few))
  const before = await large.weight?.()
  await fill(large, printed.keys)
  const after = await large.weight?.()
  const many = benchOf(large.store, printed.texts)
  const bytesPerKey = before === undefined || after === undefined ? undefined : (after - before) / plan.many
  for (const bench of [few, many]) await bench.check()
  const times = { verify: newTimes(), 'verify with a limit': newTimes(), list: newTimes() }
  // The first round of each warms up.
  for (let round = -1; round < plan.rounds; round++) {
    for (const work of WORKS) {
      for (const side of round % 2 === 0 ? (['few', 'many'] as const) : (['many', 'few'] as const)) {
        const took = await timed((side === 'few' ? few : many)[work], plan.calls)
        if (round >= 0) times[work][side].push(took)
      }
    }
  }
  await Promise.all([few.end(), many.end()])
  return { engine, bytesPerKey, times }
}

function newTimes(): { few: number[]; many: number[] } {
  return { few: [], many: [] }
}

function ownerOf(at: number): string {
  return at % 2 === 0 ? WHALE : `acct_${Math.floor(at / 2 / OF_ONE)}`
}

/** What is timed, with what it is given: made before, so that what is timed finds it at hand, as it does a request. */
interface Timed {
  readonly input: () => string
  call(input: string): unknown
}

type Bench = Readonly<Record<Work, Timed>> & {
  readonly check: () => Promise<void>
  readonly end: () => Promise<void>
}

/** Nothing is remembered: each verification asks the store, for any of its keys. */
function benchOf(store: KeyStore, texts: readonly string[]): Bench {
  const options = { prefix: PREFIX, store, cache: false, storeTimeout: '30s' } as const
  const plain = createApiKeys(options)
  const limited = createApiKeys({ ...options, limits: { default: { minute: 1_000_000 } } })
  const fresh = new Texts(texts)
  const some = () => fresh.at(Math.floor(Math.random() * texts.length))
  const owners = Math.floor(texts.length / 2 / OF_ONE)
  const owner = () => `acct_${Math.floor(Math.random() * owners)}`
  return {
    verify: { input: some, call: (text) => plain.verify(text) },
    'verify with a limit': { input: some, call: (text) => limited.verify(text) },
    list: { input: owner, call: (of) => plain.list({ owner: of }) },
    async check() {
      for (const keys of [plain, limited]) {
        if (!(await keys.verify(some())).ok) throw new Error('a good key was refused')
      }
      const { items } = await plain.list({ owner: owner() })
      if (items.length !== OF_ONE) throw new Error(`an owner of ${OF_ONE} keys was shown ${items.length}`)
    },
    end: async () => void (await Promise.all([plain.close(), limited.close()])),
  }
}

/** @returns µs a call */
async function timed({ input, call }: Timed, calls: number): Promise<number> {
  const inputs = Array.from({ length: calls }, input)
  const lane = async () => {
    for (let next = inputs.pop(); next !== undefined; next = inputs.pop()) await call(next)
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return ((performance.now() - start) * 1_000) / calls
}

/** Round by round, so that what slowed both does not count. */
export function ratioOf({ few, many }: Growth['times'][Work]): number {
  return percentile(
    many.map((time, round) => time / (few[round] ?? Number.NaN)),
    0.5,
  )
}

export function growthFinding(plan: GrowthPlan, found: readonly Growth[]): Finding {
  const rows = found.map(({ engine, bytesPerKey, times }) => {
    const ratios = WORKS.map((work) => ratioOf(times[work]))
    const told = WORKS.flatMap((work, at) => [
      `${ms(percentile(times[work].few, 0.5))} → ${ms(percentile(times[work].many, 0.5))}`,
      (ratios[at] ?? Number.NaN).toFixed(2),
    ])
    const weight = bytesPerKey === undefined ? 'see bench' : bytesPerKey.toFixed(0)
    return [engine, ...told, weight, ratios.every((ratio) => ratio <= MOST)]
  })
  const [few, many] = [plan.few, plan.many].map((count) => count.toLocaleString('en-US'))
  return {
    name: 'growth',
    title: `${few} keys beside ${many}`,
    promise: `With ${many} keys in a store, verifying any of them (the record is read each time) and listing the ${OF_ONE} keys of one owner cost at most ${MOST} times what they do with ${few}. Half of all keys belong to one owner.`,
    columns: ['store', ...WORKS.flatMap((work) => [`${work}, µs`, 'ratio']), 'bytes per key', 'kept'],
    rows,
    notes: [
      `µs are those of one of ${AT_ONCE} calls under way at once; ratios are medians over ${plan.rounds} rounds.`,
      'MariaDB has a buffer pool of 1 GB: with the default of 128 MB, a million keys do not fit, and an owner is read from the disk.',
    ],
  }
}

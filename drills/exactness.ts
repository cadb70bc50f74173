import { type Fleet, startFleet } from './fleet.ts'
import { clientOf, storm, tally } from './load.ts'
import { type ServerName, startPlace } from './place.ts'
import { type Finding, ms } from './report.ts'

export interface ExactnessPlan {
  readonly engines: readonly ServerName[]
  readonly processes: number
  /** To each process. */
  readonly connections: number
  /** A minute, for the one key. */
  readonly limit: number
  /** To each process; together more than the limit. */
  readonly requests: number
  /** Keys with one credit left, each with so many callers at once. */
  readonly lastCredits: number
  readonly callers: number
}

export interface Exactness {
  readonly engine: ServerName
  /** How often each status was answered. */
  readonly statuses: Readonly<Record<string, number>>
  readonly took: number
  /** The same for each key with one credit left. */
  readonly lastCredits: readonly Readonly<Record<string, number>>[]
}

export const EXACTNESS: ExactnessPlan = {
  engines: ['Redis', 'Redis Cluster', 'PostgreSQL', 'MariaDB'],
  processes: 4,
  connections: 64,
  limit: 1_000,
  requests: 400,
  lastCredits: 20,
  callers: 100,
}

export const LITTLE_EXACTNESS: ExactnessPlan = {
  ...EXACTNESS,
  connections: 16,
  limit: 200,
  requests: 80,
  lastCredits: 2,
}

/** Several processes serve one key at once: its limit and its last credit are given out exactly. */
export async function exactness(plan: ExactnessPlan): Promise<readonly Exactness[]> {
  const found: Exactness[] = []
  for (const engine of plan.engines) found.push(await exactnessOn(engine, plan))
  return found
}

async function exactnessOn(engine: ServerName, plan: ExactnessPlan): Promise<Exactness> {
  const running = await startPlace(engine)
  // An answer that comes too late for its caller has been charged: here everyone is to be heard.
  const fleet = await startFleet(plan.processes, { place: running.place, options: { storeTimeout: '10s' } })
  try {
    const [limited] = await create(fleet, { owner: 'limited', limits: { minute: plan.limit } }, 1)
    const start = performance.now()
    const answers = await storm(fleet.workers, limited?.key ?? '', plan)
    const took = performance.now() - start
    return { engine, statuses: tally(answers), took, lastCredits: await spendLastCredits(fleet, plan) }
  } finally {
    await fleet.end()
    await running.end()
  }
}

function create({ workers: [first] }: Fleet, input: { owner: string; [name: string]: unknown }, count: number) {
  if (first === undefined) throw new Error('a fleet of none')
  return first.order({ do: 'create', input, count })
}

async function spendLastCredits(fleet: Fleet, plan: ExactnessPlan): Promise<Exactness['lastCredits']> {
  const made = await create(fleet, { owner: 'poor', credits: { remaining: 1 } }, plan.lastCredits)
  const clients = fleet.workers.map((worker) => clientOf(worker, plan.connections))
  const statuses: Readonly<Record<string, number>>[] = []
  for (const { key } of made) {
    const calls = Array.from({ length: plan.callers }, (_, at) => clients[at % clients.length]?.ask(key))
    statuses.push(tally((await Promise.all(calls)).flatMap((answer) => answer ?? [])))
  }
  for (const { end } of clients) end()
  return statuses
}

export function exactnessFinding(plan: ExactnessPlan, found: readonly Exactness[]): Finding {
  const asked = plan.processes * plan.requests
  const rows = found.map(({ engine, statuses, took, lastCredits }) => {
    const winners = lastCredits.map((each) => each['200'] ?? 0)
    const exactlyOne = winners.filter((won) => won === 1).length
    const isKept =
      statuses['200'] === plan.limit && statuses['429'] === asked - plan.limit && exactlyOne === winners.length
    return [
      engine,
      asked,
      statuses['200'] ?? 0,
      statuses['429'] ?? 0,
      ms(took),
      `${exactlyOne} of ${winners.length}`,
      isKept,
    ] as const
  })
  return {
    name: 'exactness',
    title: `${plan.processes} processes with ${plan.connections} connections each`,
    promise: `One key of ${plan.limit} a minute is admitted exactly ${plan.limit} times; of ${plan.callers} callers who want its last credit, exactly one is served.`,
    columns: ['store', 'requests', 'admitted', 'rate_limited', 'ms', 'last credit: exactly one served', 'kept'],
    rows,
    notes: [],
  }
}

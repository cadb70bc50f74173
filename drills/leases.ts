import { startFleet } from './fleet.ts'
import { storm, tally } from './load.ts'
import { type ServerName, startPlace } from './place.ts'
import { type Finding, ms } from './report.ts'

export interface LeasesPlan {
  readonly engines: readonly ServerName[]
  readonly processes: number
  /** To each process. */
  readonly connections: number
  /** A minute, for each key. */
  readonly limit: number
  /** The most uses that a process takes at once. */
  readonly lease: number
  /** To each process and each key; together more than the limit. */
  readonly requests: number
  /** One after the other. */
  readonly keys: number
}

/** How often each status was answered to one key. */
export interface Leased {
  readonly engine: ServerName
  readonly statuses: readonly Readonly<Record<string, number>>[]
  readonly took: number
}

export const LEASES: LeasesPlan = {
  engines: ['Redis', 'Redis Cluster', 'PostgreSQL', 'MariaDB'],
  processes: 4,
  connections: 64,
  limit: 1_000,
  lease: 100,
  requests: 400,
  keys: 10,
}

export const LITTLE_LEASES: LeasesPlan = { ...LEASES, connections: 16, limit: 200, requests: 80, keys: 1 }

/** Several processes serve one hot key, of which each takes many uses at once: together never more than its limit. */
export async function leases(plan: LeasesPlan): Promise<readonly Leased[]> {
  const found: Leased[] = []
  for (const engine of plan.engines) found.push(await leasesOn(engine, plan))
  return found
}

async function leasesOn(engine: ServerName, plan: LeasesPlan): Promise<Leased> {
  const running = await startPlace(engine)
  const options = { storeTimeout: '10s', limits: { default: { minute: plan.limit }, lease: plan.lease } } as const
  const fleet = await startFleet(plan.processes, { place: running.place, options })
  try {
    const [first] = fleet.workers
    const made = await first?.order({ do: 'create', input: { owner: 'hot' }, count: plan.keys })
    const statuses: Readonly<Record<string, number>>[] = []
    const start = performance.now()
    for (const { key } of made ?? []) statuses.push(tally(await storm(fleet.workers, key, plan)))
    return { engine, statuses, took: performance.now() - start }
  } finally {
    await fleet.end()
    await running.end()
  }
}

export function leasesFinding(plan: LeasesPlan, found: readonly Leased[]): Finding {
  const asked = plan.processes * plan.requests
  const rows = found.map(({ engine, statuses, took }) => {
    const admitted = statuses.map((each) => each['200'] ?? 0)
    const answered = statuses.map((each) => (each['200'] ?? 0) + (each['429'] ?? 0))
    const isKept = admitted.every((count) => count <= plan.limit) && answered.every((count) => count === asked)
    return [
      engine,
      `${statuses.length} × ${asked}`,
      Math.max(...admitted),
      Math.min(...admitted),
      ms(took / statuses.length),
      isKept,
    ] as const
  })
  return {
    name: 'leases',
    title: `${plan.processes} processes with ${plan.connections} connections each, leases of up to ${plan.lease}`,
    promise: `A key of ${plan.limit} a minute is never admitted more often, and every caller is answered 200 or 429.`,
    columns: ['store', 'requests', 'admitted, most', 'admitted, least', 'ms a key', 'kept'],
    rows,
    notes: ['Fewer than the limit are admitted where one process has leased what another is asked for.'],
  }
}

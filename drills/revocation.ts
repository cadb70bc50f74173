import type { CreateInput } from 'keyward'
import { wayTo } from './bus.ts'
import { type Fleet, startFleet, type Worker } from './fleet.ts'
import { type Client, clientOf, type Prober, probe } from './load.ts'
import { now, pause } from './moment.ts'
import { type Place, type ServerName, startPlace } from './place.ts'
import { type Finding, ms, percentile } from './report.ts'

export interface RevocationPlan {
  readonly engines: readonly ServerName[]
  readonly processes: number
  /** Keys revoked in each case. */
  readonly trials: number
  /** Keys revoked together: with the bus, and in the other cases, where a trial takes seconds. */
  readonly few: number
  readonly many: number
  /** How long a process stands still, ms. */
  readonly still: number
}

/** What happens while keys are revoked. */
export type Case = 'bus' | 'no bus' | 'stopped' | 'blocked' | 'limits, no bus'

/** One key at one process, ms after its revocation was acknowledged. */
export interface Lag {
  /** When the last verification began that admitted it; 0 for none after. */
  readonly admitted: number
  /** When the first began that refused it; infinite for never. */
  readonly refused: number
}

export interface Revocation {
  readonly engine: ServerName
  readonly case: Case
  /** By key, then by the processes that the case is about. */
  readonly lags: readonly (readonly Lag[])[]
}

/** How often each key is presented to each process, ms, by how many there are: all together, 2,000 times a second. */
const everyOf = (keys: number): number => Math.max(20, 2 * keys)
/** Between two revocations, and between two looks, ms. */
const EVERY = 20
/** A key that nobody refuses by then is never refused, ms. */
const PATIENCE = 20_000
export const MAX_LAG = 1_000
/** With the bus, ms. */
const SOON = 100

export const REVOCATION: RevocationPlan = {
  engines: ['Redis', 'Redis Cluster', 'PostgreSQL', 'MariaDB'],
  processes: 4,
  trials: 200,
  few: 5,
  many: 20,
  still: 3_000,
}

export const FEW_REVOCATIONS: RevocationPlan = { ...REVOCATION, trials: 5, few: 5, many: 5, still: 1_200 }

/** Keys are revoked in one process while all of them are asked, all the time, who is admitted. */
export async function revocation(plan: RevocationPlan): Promise<readonly Revocation[]> {
  const found: Revocation[] = []
  for (const engine of plan.engines) {
    const running = await startPlace(engine)
    try {
      if (engine !== 'MariaDB') found.push(...(await withBus(engine, running.place, plan)))
      if (engine !== 'Redis Cluster') found.push(...(await withoutBus(engine, running.place, plan)))
    } finally {
      await running.end()
    }
  }
  return found
}

async function withBus(engine: ServerName, place: Place, plan: RevocationPlan): Promise<readonly Revocation[]> {
  const scene = await open(place, plan)
  try {
    const lags = await inBatches(plan, () => trial(scene, plan.few, {}))
    const found: Revocation[] = [{ engine, case: 'bus', lags }]
    if (engine === 'Redis Cluster') return found
    const [, , third, fourth] = scene.fleet.workers
    const standStill = () => [stopFor(third, plan.still), blockFor(fourth, plan.still)]
    const still = await inBatches(plan, () => trial(scene, plan.many, { meanwhile: standStill }))
    found.push({ engine, case: 'stopped', lags: still.map((lag) => lag.slice(2, 3)) })
    found.push({ engine, case: 'blocked', lags: still.map((lag) => lag.slice(3, 4)) })
    return found
  } finally {
    await scene.end()
  }
}

async function withoutBus(engine: ServerName, place: Place, plan: RevocationPlan): Promise<readonly Revocation[]> {
  const way = engine === 'MariaDB' ? undefined : await wayTo(place)
  const scene = await open(way?.place ?? place, plan)
  try {
    way?.cut()
    const lags = await inBatches(plan, () => trial(scene, plan.many, {}))
    const limits = { minute: 1_000_000 }
    const limited = await inBatches(plan, () => trial(scene, plan.many, { limits }))
    return [
      { engine, case: 'no bus', lags },
      { engine, case: 'limits, no bus', lags: limited },
    ]
  } finally {
    await scene.end()
    way?.end()
  }
}

interface Scene {
  readonly fleet: Fleet
  readonly clients: readonly Client[]
  end(): Promise<void>
}

async function open(place: Place, { processes, many }: RevocationPlan): Promise<Scene> {
  const fleet = await startFleet(processes, { place, options: { cache: { maxLag: MAX_LAG }, storeTimeout: '10s' } })
  const clients = fleet.workers.map((worker) => clientOf(worker, many))
  return {
    fleet,
    clients,
    async end() {
      for (const { end } of clients) end()
      await fleet.end()
    },
  }
}

async function inBatches<T>({ trials }: RevocationPlan, work: () => Promise<readonly T[]>) {
  const found: T[] = []
  while (found.length < trials) found.push(...(await work()))
  return found
}

interface Circumstances {
  readonly limits?: CreateInput['limits']
  /** Begins before the first revocation. */
  readonly meanwhile?: () => readonly Promise<void>[]
}

async function trial(scene: Scene, count: number, { limits, meanwhile }: Circumstances): Promise<readonly Lag[][]> {
  const first = scene.fleet.workers[0] as Worker
  const keys = await first.order({ do: 'create', input: { owner: 'drill', ...(limits && { limits }) }, count })
  const probers = keys.map(({ key }) => scene.clients.map((client) => probe(client, key, everyOf(count))))
  await until(probers.flat(), ({ answers }) => answers.some(({ status }) => status === 200))
  // So that what is remembered is of any age.
  await pause(Math.random() * MAX_LAG)
  const over = meanwhile?.() ?? []
  await pause(EVERY)
  const acknowledged = await first.order({ do: 'revoke', ids: keys.map(({ id }) => id), every: EVERY })
  await Promise.all(over)
  const lastAt = Math.max(...acknowledged)
  await until(probers.flat(), ({ answers }) => answers.some(({ status, begun }) => status === 401 && begun > lastAt))
  await Promise.all(probers.flat().map(({ stop }) => stop()))
  return keys.map((_, at) => (probers[at] ?? []).map((prober) => lagOf(prober, acknowledged[at] ?? 0)))
}

async function until(probers: readonly Prober[], isSo: (prober: Prober) => boolean): Promise<void> {
  const giveUp = now() + PATIENCE
  while (!probers.every(isSo) && now() < giveUp) await pause(EVERY)
}

function lagOf({ answers, failures }: Prober, acknowledged: number): Lag {
  if (failures.length > 0) throw new Error(`a request was not answered: ${failures[0]}`)
  const after = answers.filter(({ begun }) => begun > acknowledged)
  const admitted = after.filter(({ status }) => status === 200).map(({ begun }) => begun - acknowledged)
  const refused = after.filter(({ status }) => status === 401).map(({ begun }) => begun - acknowledged)
  return { admitted: Math.max(0, ...admitted), refused: Math.min(Number.POSITIVE_INFINITY, ...refused) }
}

async function stopFor(worker: Worker | undefined, ms: number): Promise<void> {
  worker?.stop()
  await pause(ms)
  worker?.resume()
}

async function blockFor(worker: Worker | undefined, ms: number): Promise<void> {
  await worker?.order({ do: 'block', ms })
}

/** What is promised of each case, and whether it held. */
const PROMISES: Readonly<Record<Case, readonly [string, (lags: readonly Lag[]) => boolean]>> = {
  bus: [
    `p99 < ${SOON} ms`,
    (lags) =>
      percentile(
        lags.map(({ refused }) => refused),
        0.99,
      ) < SOON,
  ],
  'no bus': [`≤ ${MAX_LAG} ms`, isBounded],
  stopped: [`≤ ${MAX_LAG} ms`, isBounded],
  blocked: [`≤ ${MAX_LAG} ms`, isBounded],
  'limits, no bus': ['at once', (lags) => lags.every(({ admitted, refused }) => admitted === 0 && refused < PATIENCE)],
}

function isBounded(lags: readonly Lag[]): boolean {
  return lags.every(({ admitted, refused }) => admitted <= MAX_LAG && refused < PATIENCE)
}

/** A revocation has reached everyone when it has reached the last. */
export function slowest(lags: readonly Lag[]): Lag {
  return {
    admitted: Math.max(...lags.map(({ admitted }) => admitted)),
    refused: Math.max(...lags.map(({ refused }) => refused)),
  }
}

export function revocationFinding(plan: RevocationPlan, found: readonly Revocation[]): Finding {
  const rows = found.map(({ engine, case: name, lags }) => {
    const all = lags.map(slowest)
    const [promise, holds] = PROMISES[name]
    const times = (of: keyof Lag) =>
      [0.5, 0.99, 1].map((part) =>
        ms(
          percentile(
            all.map((lag) => lag[of]),
            part,
          ),
        ),
      )
    return [engine, name, all.length, ...times('admitted'), ...times('refused'), promise, holds(all)]
  })
  const columns = ['p50', 'p99', 'max']
  return {
    name: 'revocation',
    title: `${plan.processes} processes, maxLag ${MAX_LAG} ms`,
    promise: `A key is revoked in one process while every process is asked every ${everyOf(plan.few)} ms (with the bus) or ${everyOf(plan.many)} ms whether it admits it. Times are ms after the revocation was acknowledged, at the process that was last.`,
    columns: [
      'store',
      'case',
      'keys',
      ...columns.map((part) => `last admission begun, ${part}`),
      ...columns.map((part) => `first refusal begun, ${part}`),
      'promise',
      'kept',
    ],
    rows,
    notes: [],
  }
}

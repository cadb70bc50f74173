import { type ApiKeysOptions, type CreateInput, createApiKeys, memoryStore } from 'keyward'
import { clerkAt, type Ledger } from './clerk.ts'
import { type Fleet, startFleet, type Worker } from './fleet.ts'
import { type Answer, type Client, clientOf, type Prober, probe } from './load.ts'
import { now, pause } from './moment.ts'
import { type Running, startPlace } from './place.ts'

export interface OutagePlan {
  readonly engines: readonly ('Redis' | 'PostgreSQL')[]
  readonly processes: number
  readonly kills: number
  /** Connections to each process for each kind of key. */
  readonly connections: number
  /** How long the processes serve other keys of the same kinds beforehand, ms: a program that has just begun is slow. */
  readonly warm: number
  /** How long the store is up between two kills, and down after each, ms; the latter more than `maxLag`. */
  readonly up: number
  readonly down: number
}

export const OUTAGE: OutagePlan = {
  engines: ['Redis', 'PostgreSQL'],
  processes: 4,
  kills: 20,
  connections: 2,
  warm: 5_000,
  up: 1_500,
  down: 1_500,
}

export const FEW_OUTAGES: OutagePlan = { ...OUTAGE, processes: 2, kills: 2, connections: 1, warm: 0, down: 1_200 }

/** One `kill -9`, and what followed. */
export interface Kill {
  readonly killedAt: number
  /** It has ended. */
  readonly deadAt: number
  readonly startedAt: number
  /** It answers. */
  readonly backAt: number
}

/** What is presented, and what may come of it while all is well. */
export const KINDS = {
  open: { input: {}, statuses: [200] },
  limited: { input: { limits: { minute: 1_000_000 } }, statuses: [200] },
  /** More are asked for than there are: what was charged stays charged. */
  counted: { input: { limits: { day: 300 } }, statuses: [200, 429] },
  prepaid: { input: { credits: { remaining: 300 } }, statuses: [200, 402] },
  revoked: { input: undefined, statuses: [401] },
  unknown: { input: undefined, statuses: [401] },
} as const
export type Kind = keyof typeof KINDS

/** What one prober was answered. */
export interface Heard {
  readonly kind: Kind
  readonly worker: number
  readonly answers: readonly Answer[]
  readonly unanswered: number
}

export interface Outage {
  readonly engine: OutagePlan['engines'][number]
  readonly kills: readonly Kill[]
  readonly heard: readonly Heard[]
  /** Processes of the service that ended. */
  readonly crashes: number
  /** Keys whose creation, or revocation, was acknowledged: how many, and how many are not so at the end. */
  readonly acknowledged: number
  readonly lost: number
}

/** How often each connection asks, ms. */
const EVERY = 20
export const MAX_LAG = 1_000
export const STORE_TIMEOUT = 250
const OPTIONS: Pick<ApiKeysOptions, 'cache' | 'storeTimeout'> = {
  cache: { maxLag: MAX_LAG },
  storeTimeout: STORE_TIMEOUT,
}

/** The store is killed again and again, while keys of every kind are presented, made and revoked. */
export async function outage(plan: OutagePlan): Promise<readonly Outage[]> {
  const found: Outage[] = []
  for (const engine of plan.engines) found.push(await outageOf(engine, plan))
  return found
}

async function outageOf(engine: Outage['engine'], plan: OutagePlan): Promise<Outage> {
  const running = await startPlace(engine)
  const fleet = await startFleet(plan.processes, { place: running.place, options: OPTIONS })
  const clients = fleet.workers.map((worker) => clientOf(worker, 6 * plan.connections + 1))
  try {
    const ledger = clerkAt(firstOf(fleet))
    const beforehand = plan.warm === 0 ? [] : await startProbing(fleet, clients, ledger, plan)
    await pause(plan.warm)
    await Promise.all(beforehand.map(({ prober }) => prober.stop()))
    const probers = await startProbing(fleet, clients, ledger, plan)
    const kills: Kill[] = []
    for (let n = 0; n < plan.kills; n++) {
      await pause(plan.up)
      kills.push(await killOnce(running, plan.down))
    }
    await pause(plan.up)
    await ledger.stop()
    await Promise.all(probers.map(({ prober }) => prober.stop()))
    const heard = probers.map(({ prober: { answers, failures }, kind, worker }) => ({
      ...{ kind, worker, answers },
      unanswered: failures.length,
    }))
    const crashes = fleet.workers.filter(({ hasEnded }) => hasEnded()).length
    return { engine, kills, heard, crashes, ...(await audit(ledger, clients[0])) }
  } finally {
    for (const { end } of clients) end()
    await fleet.end()
    await running.end()
  }
}

function firstOf({ workers: [first] }: Fleet): Worker {
  if (first === undefined) throw new Error('a fleet of none')
  return first
}

interface Probing {
  readonly kind: Kind
  readonly worker: number
  readonly prober: Prober
}

async function startProbing(
  fleet: Fleet,
  clients: readonly Client[],
  { revoked }: Ledger,
  { connections }: OutagePlan,
): Promise<readonly Probing[]> {
  const stranger = await createApiKeys({ prefix: 'drl_', store: memoryStore() }).create({ owner: 'nobody' })
  const create = async (input: Omit<CreateInput, 'owner'>): Promise<string> => {
    const [made] = await firstOf(fleet).order({ do: 'create', input: { owner: 'drill', ...input }, count: 1 })
    return made?.key ?? ''
  }
  const presented: Record<Kind, string | (() => string | undefined)> = {
    open: await create(KINDS.open.input),
    limited: await create(KINDS.limited.input),
    counted: await create(KINDS.counted.input),
    prepaid: await create(KINDS.prepaid.input),
    revoked: () => someOf(revoked.filter(({ at }) => at + MAX_LAG < now()))?.key,
    unknown: stranger.key,
  }
  return (Object.keys(KINDS) as Kind[]).flatMap((kind) =>
    clients.flatMap((client, worker) =>
      Array.from({ length: connections }, () => ({ kind, worker, prober: probe(client, presented[kind], EVERY) })),
    ),
  )
}

function someOf<T>(items: readonly T[]): T | undefined {
  return items[Math.floor(Math.random() * items.length)]
}

async function killOnce(running: Running, down: number): Promise<Kill> {
  const killedAt = now()
  await running.kill()
  const deadAt = now()
  await pause(down)
  const startedAt = now()
  await running.start()
  return { killedAt, deadAt, startedAt, backAt: now() }
}

/** Whether all that was acknowledged is so. */
async function audit({ active, revoked }: Ledger, client: Client | undefined) {
  let lost = 0
  for (const [keys, status] of [
    [active, 200],
    [revoked, 401],
  ] as const) {
    for (const { key } of keys) if ((await client?.ask(key))?.status !== status) lost++
  }
  return { acknowledged: active.length + revoked.length, lost }
}

import { shuffled } from './instrument.ts'

/** Something that is asked of a server, many times at once. */
export interface Errand {
  readonly name: string
  /** Of something fast: so many times as many calls, that a round of it lasts about as long. */
  readonly times?: number
  /** Throws unless the errand does its work: admits the valid, refuses the invalid, enforces limits. */
  check(): Promise<void>
  /** The n-th call. */
  call(n: number): unknown
  /** Whether an answer is the one that the errand is there for. */
  isRight(answer: unknown): boolean
}

export interface Flight {
  readonly rounds: number
  /** Calls of each errand in each round. */
  readonly calls: number
  /** How many of them are under way at once. */
  readonly inFlight: number
}

/** Microseconds of one call: by the clock, of this process, and of the server. */
export interface Cost {
  readonly time: number
  readonly client: number
  readonly server: number
}

/** One cost a round by errand; those at one index were taken within the same seconds. */
export type Costs = Readonly<Record<string, readonly Cost[]>>

/** All errands in every round, each round in another order. `serverTime` answers the CPU that the server has used, µs. */
export async function fly(
  errands: readonly Errand[],
  flight: Flight,
  serverTime: () => Promise<number>,
): Promise<Costs> {
  const lanes = errands.map((errand) => ({ errand, costs: [] as Cost[] }))
  for (let round = -1; round < flight.rounds; round++) {
    for (const { errand, costs } of shuffled(lanes)) {
      const cost = await costOf(errand, flight, serverTime)
      if (round >= 0) costs.push(cost)
    }
  }
  return Object.fromEntries(lanes.map(({ errand, costs }) => [errand.name, costs]))
}

async function costOf(errand: Errand, flight: Flight, serverTime: () => Promise<number>): Promise<Cost> {
  const { inFlight } = flight
  const calls = flight.calls * (errand.times ?? 1)
  let begun = 0
  const wrong: unknown[] = []
  const lane = async (): Promise<void> => {
    while (begun < calls) {
      const answer = await errand.call(begun++)
      if (!errand.isRight(answer)) wrong.push(answer)
    }
  }
  const before = await serverTime()
  const cpu = process.cpuUsage()
  const start = performance.now()
  await Promise.all(Array.from({ length: inFlight }, lane))
  const time = (performance.now() - start) * 1000
  const { user, system } = process.cpuUsage(cpu)
  const server = (await serverTime()) - before
  if (wrong.length > 0) {
    throw new Error(`${errand.name}: ${wrong.length} of ${calls} answers were wrong: ${JSON.stringify(wrong[0])}`)
  }
  return { time: time / calls, client: (user + system) / calls, server: server / calls }
}

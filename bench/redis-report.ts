import type { Cost, Costs, Flight } from './flight.ts'
import { ratios, type Spread, spreadOf } from './instrument.ts'
import { type Commands, commandsText } from './redis-commands.ts'
import { EMPTY_SCRIPT, GET } from './redis-errands.ts'
import { type RedisWeight, weightText } from './redis-weight.ts'
import type { Run } from './report.ts'

/** Everything that a run found, as it is written to JSON. */
export interface RedisResults extends Run {
  readonly flights: readonly Flown[]
  readonly commands: readonly Commands[]
  readonly weight: RedisWeight
}

/** A flight, with what each process found: Keyward's errands beside a floor of their own, and the rest in one. */
export interface Flown extends Flight {
  readonly runs: readonly Costs[]
}

/** How often as many calls as of the base are done: above 1 it is faster. Both were timed in one process. */
export function faster({ runs }: Pick<Flown, 'runs'>, name: string, base: string): Spread {
  const costs = runOf(runs, name)
  return spreadOf(ratios(timesOf(costs, base), timesOf(costs, name)))
}

/** How long a call takes as a multiple of the base: one at a time, that is its latency. */
export function longer({ runs }: Pick<Flown, 'runs'>, name: string, base: string): Spread {
  const costs = runOf(runs, name)
  return spreadOf(ratios(timesOf(costs, name), timesOf(costs, base)))
}

function runOf(runs: readonly Costs[], name: string): Costs {
  return runs.find((costs) => name in costs) ?? {}
}

function timesOf(costs: Costs, name: string): readonly number[] {
  return (costs[name] ?? []).map(({ time }) => time)
}

function textOf({ q1, median, q3 }: Spread): string {
  return `${median.toFixed(2)} (${q1.toFixed(2)}–${q3.toFixed(2)})`
}

export function tableOf(flown: Flown): string {
  const { inFlight, runs } = flown
  const median = (name: string, part: keyof Cost) =>
    spreadOf((runOf(runs, name)[name] ?? []).map((cost) => cost[part])).median
  const rows = [...new Set(runs.flatMap((costs) => Object.keys(costs)))].map((name) => {
    const [time, own, servers] = [median(name, 'time'), median(name, 'client'), median(name, 'server')]
    const speed = String(Math.round(1e6 / time / 100) * 100)
    const beside = inFlight === 1 ? longer(flown, name, GET) : faster(flown, name, GET)
    const cells = [speed, textOf(faster(flown, name, EMPTY_SCRIPT)), textOf(beside), own.toFixed(1), servers.toFixed(1)]
    return `| ${[name, ...cells].join(' | ')} |`
  })
  const beside = inFlight === 1 ? 'latency ÷ GET' : '÷ GET'
  return [
    `| ${inFlight} in flight | a second | ÷ empty script | ${beside} | CPU of the client, µs | CPU of the server, µs |`,
    '|---|--:|--:|--:|--:|--:|',
    ...rows,
  ].join('\n')
}

export function markdown(results: RedisResults): string {
  const { command, at, versions, flights, commands, weight } = results
  const { cpu, cores, system, load } = results.machine
  const installed = ['node', 'redis', 'keyward', 'ioredis', 'rate-limiter-flexible', 'rate-limit-redis']
  const rounds = flights.map(({ inFlight, rounds, calls }) => `${rounds} of ${calls} calls with ${inFlight} in flight`)
  return `# What Redis costs

\`${command}\` wrote this on ${at.slice(0, 10)}.

- machine: ${cpu}, ${cores} cores, which client and server share, ${system}; load average before the run ${load}
- versions: ${installed.map((name) => `${name} ${versions[name]}`).join(' · ')}
- each of Keyward in a process of its own, with \`GET\` and an empty script beside it, and the rest in one; rounds, each with all in another order: ${rounds.join(', ')}; medians, of the ratios with quartiles
- ratios are of throughput, above 1 is faster; with one call at a time, ÷ GET is of latency, below is faster
- every variant was seen to admit, refuse and limit before it was timed

${flights.map(tableOf).join('\n\n')}

## Commands

${commandsText(commands)}

## Memory

${weightText(weight)}
`
}

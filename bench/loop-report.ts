import { BARE } from './http-apps.ts'
import { type Spread, spreadOf } from './instrument.ts'
import type { Run } from './report.ts'

/** One run against one process. */
export interface Delay {
  readonly framework: string
  readonly name: string
  readonly round: number
  /** ms between two ticks of a timer of 1 ms. */
  readonly p50: number
  readonly p99: number
  readonly max: number
  /** Requests a second. */
  readonly rate: number
}

/** Everything that a run found, as it is written to JSON. */
export interface LoopResults extends Run {
  readonly passes: number
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly delays: readonly Delay[]
}

export interface LoopRow {
  readonly name: string
  readonly p50: Spread
  readonly p99: Spread
  readonly rate: Spread
  /** p99 as a multiple of the bare application's, taken round by round. */
  readonly ratio: Spread
}

export function loopRows(delays: readonly Delay[], framework: string): readonly LoopRow[] {
  const here = delays.filter((delay) => delay.framework === framework)
  const bare = new Map(here.filter(({ name }) => name === BARE).map(({ round, p99 }) => [round, p99]))
  return [...new Set(here.map(({ name }) => name))].map((name) => {
    const runs = here.filter((delay) => delay.name === name)
    return {
      name,
      p50: spreadOf(runs.map(({ p50 }) => p50)),
      p99: spreadOf(runs.map(({ p99 }) => p99)),
      rate: spreadOf(runs.map(({ rate }) => rate)),
      ratio: spreadOf(runs.map(({ p99, round }) => p99 / (bare.get(round) ?? Number.NaN))),
    }
  })
}

export function loopTable(delays: readonly Delay[], framework: string): string {
  const rows = loopRows(delays, framework).map(({ name, p50, p99, rate, ratio }) => {
    const beside = `${ratio.median.toFixed(2)} (${ratio.q1.toFixed(2)}–${ratio.q3.toFixed(2)})`
    return `| ${name} | ${beside} | ${p99.median.toFixed(2)} | ${p50.median.toFixed(2)} | ${rate.median.toFixed(0)} |`
  })
  return ['| | p99 ÷ bare | p99, ms | p50, ms | requests a second |', '|---|--:|--:|--:|--:|', ...rows].join('\n')
}

export function markdown(results: LoopResults): string {
  const { command, at, versions, passes, rounds, seconds, connections, delays } = results
  const { cpu, cores, system, load } = results.machine
  const frameworks = [...new Set(delays.map(({ framework }) => framework))]
  return `# What the event loop waits

\`${command}\` wrote this on ${at.slice(0, 10)}.

- machine: ${cpu}, ${cores} cores, ${system}; load average before the run ${load}
- versions: node ${versions.node} · keyward ${versions.keyward} · autocannon ${versions.autocannon}
- the guard checks a scope, counts two windows and tells of them; ${passes} fresh processes of each, in each ${rounds} runs of ${seconds} s by turns, ${connections} connections that ask without a pause (autocannon)
- the time between two ticks of a timer of 1 ms in the server (\`monitorEventLoopDelay\`), so that an idle loop shows 1 ms; ratios are taken within a round, then their median and quartiles

${frameworks.map((framework) => `## ${framework}\n\n${loopTable(delays, framework)}`).join('\n\n')}
`
}

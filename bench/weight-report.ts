import type { Spread } from './instrument.ts'
import type { Run } from './report.ts'

export interface Entry {
  readonly name: string
  /** Bytes. */
  readonly brotli: number
}

/** Fresh processes that import something and end; ms. */
export interface Start {
  readonly name: string
  /** From the outside, Node's own start with it. */
  readonly whole: Spread
  /** From within: the imports alone. */
  readonly importing: Spread
}

export interface Weights {
  readonly entries: readonly Entry[]
  readonly starts: readonly Start[]
  /** The name of the start that imports nothing. */
  readonly empty: string
  /** Bytes on disk by package. */
  readonly installed: Readonly<Record<string, number>>
}

/** Everything that a run found, as it is written to JSON. */
export interface WeightResults extends Weights, Run {
  readonly processes: number
}

export function weightTables({ entries, starts, empty, installed }: Weights): string {
  const floor = starts.find(({ name }) => name === empty)?.whole.median ?? Number.NaN
  const startRows = starts.map(({ name, whole, importing }) => {
    const beyond = [whole.median - floor, whole.median / floor].map((number) => number.toFixed(2))
    const quartiles = `${importing.q1.toFixed(1)}–${importing.q3.toFixed(1)}`
    return `| ${[name, importing.median.toFixed(1), quartiles, whole.median.toFixed(1), ...beyond].join(' | ')} |`
  })
  const total = Object.values(installed).reduce((sum, bytes) => sum + bytes, 0)
  return [
    '| a process that imports | the imports, ms | quartiles | the process, ms | beyond an empty module, ms | ÷ an empty module |',
    '|---|--:|--:|--:|--:|--:|',
    ...startRows,
    '',
    '| entry | kB, minified, Brotli |',
    '|---|--:|',
    ...entries.map(({ name, brotli }) => `| ${name} | ${(brotli / 1000).toFixed(1)} |`),
    '',
    '| installed | MB on disk |',
    '|---|--:|',
    ...Object.entries(installed).map(([name, bytes]) => `| ${name} | ${(bytes / 1e6).toFixed(2)} |`),
    `| together | ${(total / 1e6).toFixed(2)} |`,
  ].join('\n')
}

export function markdown(results: WeightResults): string {
  const { command, at, versions, processes } = results
  const { cpu, cores, system, load } = results.machine
  return `# What Keyward weighs

\`${command}\` wrote this on ${at.slice(0, 10)}.

- machine: ${cpu}, ${cores} cores, ${system}; load average before the run ${load}
- versions: node ${versions.node} · keyward ${versions.keyward}
- the package was built, packed and installed into an empty folder without optional peers; each program ran in ${processes} fresh processes, by turns, medians
- Brotli: an entry and all of the build that it loads, minified; packages installed beside it are not in it

${weightTables(results)}
`
}

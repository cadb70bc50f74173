import { readFileSync } from 'node:fs'
import os from 'node:os'
import { ratios, type Spread, spreadOf, type Timings } from './instrument.ts'
import type { Memory } from './memory.ts'

/** What every run says of itself. */
export interface Run {
  readonly command: string
  readonly at: string
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string | undefined>>
}

/** Everything that a run found, as it is written to JSON. */
export interface Results extends Run {
  /** Calls of a variant in a round, rounds of a process. */
  readonly calls: number
  readonly rounds: number
  readonly processes: number
  readonly base: string
  readonly rows: readonly Row[]
  /** Peers on what Keyward takes for the same work. */
  readonly peers: readonly Beside[]
  readonly suites: Readonly<Record<string, Found>>
  readonly memory: Memory
}

/** What a suite found. */
export interface Found {
  readonly title: string
  readonly rows: readonly Row[]
  readonly besides: readonly Beside[]
}

/** Something as a multiple of something else, taken round by round. */
export interface Beside {
  readonly name: string
  readonly base: string
  readonly nanoseconds: Spread
  readonly ratio: Spread
}

export interface Row {
  readonly name: string
  readonly nanoseconds: Spread
  /** Multiples of the base, taken round by round. */
  readonly ratio: Spread
}

interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly system: string
  /** What else ran: the load average of the minute before. */
  readonly load: number
}

/** One row a variant from the timings of several processes, the rounds of all side by side. */
export function rowsOf(runs: readonly Timings[], base = ''): readonly Row[] {
  const names = new Set(runs.flatMap((run) => Object.keys(run)))
  return [...names].map((name) => ({
    name,
    nanoseconds: spreadOf(runs.flatMap((run) => run[name] ?? [])),
    ratio: spreadOf(runs.flatMap((run) => ratios(run[name] ?? [], run[base] ?? []))),
  }))
}

/** Those of the pairs that were timed, each in the processes that timed both. */
export function besides(runs: readonly Timings[], pairs: readonly (readonly [string, string])[]): readonly Beside[] {
  return pairs.flatMap(([name, base]) => {
    const both = runs.filter((run) => run[name] !== undefined && run[base] !== undefined)
    return rowsOf(both, base)
      .filter((row) => row.name === name)
      .map((row) => ({ ...row, base }))
  })
}

export function machine(): Machine {
  const cores = os.cpus()
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    load: Math.round((os.loadavg()[0] ?? 0) * 100) / 100,
  }
}

/** Node's, Keyward's and those of the peers, as they are installed. */
export function versions(): Record<string, string> {
  const read = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
  const peers = Object.keys(read('./package.json').dependencies)
  const installed = peers.map((peer) => [peer, read(`./node_modules/${peer}/package.json`).version as string])
  return {
    node: process.versions.node,
    openssl: process.versions.openssl,
    keyward: read('../package.json').version,
    ...Object.fromEntries(installed),
    'better-auth': read('./better-auth/package.json').dependencies['better-auth'],
    'ipaddr.js': read('../node_modules/ipaddr.js/package.json').version,
  }
}

/** Verifications, as multiples of H. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map(({ name, nanoseconds, ratio }) => [
    name,
    `${ratio.median.toFixed(2)} H`,
    `${ratio.q1.toFixed(2)}–${ratio.q3.toFixed(2)}`,
    nanoseconds.median.toFixed(0),
    `${nanoseconds.q1.toFixed(0)}–${nanoseconds.q3.toFixed(0)}`,
  ])
  return textOf(['', 'median', 'quartiles', 'ns, median', 'ns, quartiles'], cells)
}

/** Each as a multiple of what it stands beside. */
export function besideTable(besides: readonly Beside[]): string {
  const cells = besides.map(({ name, base, nanoseconds, ratio }) => [
    name,
    `÷ ${base}`,
    ratio.median.toFixed(2),
    `${ratio.q1.toFixed(2)}–${ratio.q3.toFixed(2)}`,
    nanoseconds.median.toFixed(0),
  ])
  return textOf(['', 'on', 'median', 'quartiles', 'ns, median'], cells)
}

/** Markdown that also reads well in a terminal. */
function textOf(header: readonly string[], cells: readonly (readonly string[])[]): string {
  const widths = header.map((_title, column) => Math.max(...[header, ...cells].map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' | ')} |`
  const rule = `|${widths.map((width, at) => (at === 0 ? `${'-'.repeat(width + 2)}` : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(header), rule, ...cells.map(line)].join('\n')
}

export function memoryText({ memory: { keys, stored, used } }: Pick<Results, 'memory'>): string {
  const count = keys.toLocaleString('en-US')
  return (
    `memoryStore(), ${count} keys with owner, two scopes and limits of their own: ${stored.toFixed(0)} bytes of heap a key ` +
    `as created, ${used.toFixed(0)} once each was used (counters of its two windows; 10,000 keys remembered).`
  )
}

export function markdown(results: Results): string {
  const { command, at, calls, rounds, processes, base } = results
  const { cpu, cores, system, load } = results.machine
  const installed = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`)
  return `# What verifying costs

\`${command}\` wrote this on ${at.slice(0, 10)}.

- machine: ${cpu}, ${cores} cores, ${system}; load average before the run ${load}
- versions: ${installed.join(' · ')}
- for each variant of Keyward ${processes} fresh processes of ${rounds} rounds, which time the peers beside it; in each round, in another order, ${calls.toLocaleString('en-US')} calls of each
- ${base}; ratios are taken within a round, then their median and quartiles over all rounds
- every call is given a fresh string; every variant was seen to admit, refuse and limit before it was timed

${table(results.rows)}

## Beside peers

What a peer takes as a multiple of what Keyward takes for the same work, in the same processes and rounds. keypal has
left npm: it is measured only with a build of its repository (\`KEYPAL=/path/to/keypal.mjs npm run bench\`).

${besideTable(results.peers)}

${Object.values(results.suites).map(suiteText).join('\n\n')}

## Memory

${memoryText(results)}
`
}

function suiteText({ title, besides }: Found): string {
  return `## ${title}\n\n${besideTable(besides)}`
}

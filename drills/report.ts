import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { machine } from '../bench/report.ts'

type Cell = string | number | boolean

/** What a drill has found, as a table. The last cell of a row says whether the promise was kept. */
export interface Finding {
  readonly name: string
  readonly title: string
  readonly promise: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
  readonly notes: readonly string[]
}

const FILE = fileURLToPath(new URL('RESULTS.md', import.meta.url))
const HEAD = `# What the drills found

\`npm run drill\` wrote this: each section is the last run of \`npm run drill -- <name>\`. What the drills do is at the head
of each file of this folder. A row whose last cell is **no** is a broken promise.
`

export function isKept({ rows }: Finding): boolean {
  return rows.length > 0 && rows.every((row) => row.at(-1) === true)
}

/** A table of Markdown, which reads well in a terminal too. */
function tableOf({ columns, rows }: Pick<Finding, 'columns' | 'rows'>): string {
  const cells = [columns, ...rows.map((row) => row.map(shown))]
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' | ')} |`
  const rule = `|${widths.map((width, at) => (at === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  const [head = [], ...body] = cells
  return [line(head), rule, ...body.map(line)].join('\n')
}

function shown(cell: Cell): string {
  if (typeof cell === 'boolean') return cell ? 'yes' : '**no**'
  return typeof cell === 'number' ? cell.toLocaleString('en-US') : cell
}

export function sectionOf(finding: Finding, seconds: number): string {
  const { name, title, promise, notes } = finding
  const { cpu, cores, load } = machine()
  const when = new Date().toISOString().slice(0, 16).replace('T', ' ')
  const where = `${when} UTC, ${cpu}, ${cores} cores, load average ${load}, Node ${process.versions.node}, ${seconds.toFixed(0)} s`
  const said = [promise, tableOf(finding), ...notes, `<sub>\`npm run drill -- ${name}\`, ${where}</sub>`]
  return `## ${name}: ${title}\n\n${said.join('\n\n')}\n`
}

/** Puts a section where its last run stood. */
export function writeSection(name: string, section: string): void {
  const text = existsSync(FILE) ? readFileSync(FILE, 'utf8') : HEAD
  const parts = text.split(/^(?=## )/m)
  const at = parts.findIndex((part) => part.startsWith(`## ${name}:`))
  const others = at < 0 ? [...parts, section] : parts.with(at, section)
  writeFileSync(FILE, `${others.map((part) => part.trimEnd()).join('\n\n')}\n`)
}

/** A time to be read: whole from 10 ms on. */
export function ms(time: number): string {
  return time >= 10 ? time.toFixed(0) : time.toFixed(1)
}

/** @param part 0.99 for the 99th percentile: the smallest that so many are not above */
export function percentile(numbers: readonly number[], part: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN
}

import type { Spread } from './instrument.ts'
import type { Row } from './report.ts'

/** A row of the table in RESULTS.md: the name, the median ratio, its quartiles. */
const ROW = /^\| (.+?) +\| +[\d.]+ H \| +([\d.]+)–([\d.]+) \|/gm

/** A variant that costs more than it did: beyond what the same code costs in another run. */
export interface Dearer {
  readonly name: string
  readonly was: Pick<Spread, 'q1' | 'q3'>
  readonly is: Spread
}

/**
 * What has become dearer since RESULTS.md was written: its lower quartile lies above the upper one of then. Ratios to the
 * base are compared, so that another machine may have written it; variants that it does not know are passed over.
 * @throws Error for a text without such a table
 */
export function dearerThan(results: string, rows: readonly Row[]): readonly Dearer[] {
  const before = new Map(
    [...results.matchAll(ROW)].map(([, name, q1, q3]) => [name, { q1: Number(q1), q3: Number(q3) }]),
  )
  if (before.size === 0) throw new Error('RESULTS.md has no table to compare with: npm run bench writes it')
  return rows.flatMap(({ name, ratio }) => {
    const was = before.get(name)
    return was !== undefined && ratio.q1 > was.q3 ? [{ name, was, is: ratio }] : []
  })
}

export function dearerText(found: readonly Dearer[]): string {
  if (found.length === 0) return 'Nothing has become dearer than bench/RESULTS.md says.'
  const lines = found.map(({ name, was, is }) => {
    return `- ${name}: ${is.median.toFixed(2)} H (${is.q1.toFixed(2)}–${is.q3.toFixed(2)}), it was ${was.q1}–${was.q3} H`
  })
  return ['Dearer than bench/RESULTS.md says:', ...lines].join('\n')
}

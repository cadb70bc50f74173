import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { dearerText, dearerThan } from '../../bench/check.ts'

const results = readFileSync(new URL('../../bench/RESULTS.md', import.meta.url), 'utf8')
const WARM = 'Keyward: warm verify, two windows'
const row = (name: string, q1: number) => ({
  name,
  nanoseconds: { q1, median: q1, q3: q1 },
  ratio: { q1, median: q1 + 1, q3: q1 + 2 },
})

it('the check of the bench finds what has become dearer than the results that are kept', () => {
  const found = dearerThan(results, [
    row(WARM, 100),
    row('Keyward: bad checksum', 0.1),
    row('Keyward: something new', 100),
  ])
  expect(found.map(({ name }) => name)).toEqual([WARM])
  expect(dearerText(found)).toMatch(/warm verify, two windows: 101\.00 H \(100\.00–102\.00\), it was [\d.]+–[\d.]+ H/)
})

it('the check of the bench is content with the same again, and not with results that it cannot read', () => {
  const ratio = { q1: 0, median: 0, q3: 0 }
  expect(dearerText(dearerThan(results, [{ name: WARM, nanoseconds: ratio, ratio }]))).toMatch(/^Nothing/)
  expect(() => dearerThan('# Nothing', [])).toThrow('no table')
})

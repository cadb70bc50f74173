import { beforeAll, describe, expect, it } from 'vitest'
import { type Case, FEW_REVOCATIONS, MAX_LAG, type Revocation, revocation, slowest } from '../../drills/revocation.ts'

describe.each(['Redis', 'PostgreSQL'] as const)('four processes on one %s', (engine) => {
  let found: readonly Revocation[]

  beforeAll(async () => {
    found = await revocation({ ...FEW_REVOCATIONS, engines: [engine] })
  }, 120_000)

  /** By key: when it was last admitted, and first refused, after its revocation, by the slowest process. */
  const lagsIn = (name: Case) => found.find((one) => one.case === name)?.lags.map(slowest) ?? []

  it.each([
    ['C-01: all of them refuse a revoked key, with the bus', 'bus'],
    ['C-05: none admits one after maxLag, when what the bus tells is lost and its connection stays open', 'no bus'],
    ['C-04: a process that was stopped admits none after maxLag', 'stopped'],
    ['C-04: a process whose event loop was blocked admits none after maxLag', 'blocked'],
  ] as const)('%s', (_, name) => {
    const lags = lagsIn(name)
    expect(lags).toHaveLength(FEW_REVOCATIONS.trials)
    expect(lags.filter(({ admitted, refused }) => admitted > MAX_LAG || !Number.isFinite(refused))).toEqual([])
  })

  it('C-01: a key with limits is refused at once, without the bus', () => {
    const lags = lagsIn('limits, no bus')
    expect(lags).toHaveLength(FEW_REVOCATIONS.trials)
    expect(lags.filter(({ admitted, refused }) => admitted > 0 || !Number.isFinite(refused))).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import { FEW_OUTAGES, outage } from '../../drills/outage.ts'
import { reckon } from '../../drills/outage-report.ts'

describe.each(FEW_OUTAGES.engines)('kill -9 of %s under load', (engine) => {
  it('D-01, D-11: admits nothing false, crashes nobody, loses nothing acknowledged, and is over', async () => {
    const [found] = await outage({ ...FEW_OUTAGES, engines: [engine] })
    if (found === undefined) throw new Error('nothing was found')
    const { falseAdmissions, wrongAnswers, unanswered, unavailable, service } = reckon(found)
    const { crashes, lost, acknowledged, kills } = found
    expect({ falseAdmissions, wrongAnswers, unanswered, crashes, lost }).toEqual({
      ...{ falseAdmissions: 0, wrongAnswers: 0, unanswered: 0, crashes: 0, lost: 0 },
    })
    // Something was at stake, and everyone served again each time.
    expect(Math.min(acknowledged, unavailable)).toBeGreaterThan(0)
    expect(kills).toHaveLength(FEW_OUTAGES.kills)
    expect(service.every(Number.isFinite)).toBe(true)
  }, 60_000)
})

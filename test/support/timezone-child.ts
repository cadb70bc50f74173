// Run under some TZ by test/verify/timezone.test.ts: prints what a fixed course of events gives, as JSON.
import { createApiKeys } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { codeOf } from './outcome.ts'

/** Two seconds before clocks in Europe and America are moved, on days when they are. */
const STARTS = ['2026-03-29T00:59:58Z', '2026-11-01T05:59:58Z', '2026-12-31T18:14:58Z']

async function course(start: string) {
  const clock = fakeClock(new Date(start))
  const keys = createApiKeys({ prefix: 'tz_', clock })
  const { key, record } = await keys.create({
    owner: 'acct_1',
    expiresAt: new Date(clock.now() + 4_000),
    limits: { second: 1, day: 100 },
  })
  const steps: unknown[] = [record.createdAt, record.expiresAt]
  for (let second = 0; second <= 4; second++) {
    const verdict = await keys.verify(key)
    steps.push([codeOf(verdict), verdict.ok ? verdict.access?.readings : verdict.retryAfter])
    clock.advance('1s')
  }
  await keys.update(record.id, { expiresAt: '2027-06-01T00:00:00+05:45' })
  steps.push((await keys.get(record.id))?.expiresAt, codeOf(await keys.verify(key)))
  return steps
}

const offset = new Date('2026-06-01T00:00:00Z').getTimezoneOffset()
const courses = []
for (const start of STARTS) courses.push(await course(start))
console.log(JSON.stringify({ offset, courses }))

import { expect, it } from 'vitest'
import { createMetrics } from '../../examples/metrics.ts'
import { CODES, REFUSALS } from '../support/refusals.ts'

type Metrics = ReturnType<typeof createMetrics>

/** Every refusal that there is, and every change, of keys of this owner. */
async function driveAll({ onEvent }: Metrics, owner: string): Promise<readonly string[]> {
  const seen: string[] = []
  for (const code of CODES) {
    const { keys, demand, lines, created } = await REFUSALS[code]({ onEvent })
    const rawHeaders = lines.flatMap((line) => line.split(': '))
    const verdict = await keys.verify({ rawHeaders, peer: '127.0.0.1' }, demand)
    expect(verdict.ok ? 'admitted' : verdict.code).toBe(code)
    seen.push(created.record.id, created.key, created.record.owner)
    await keys.close()
  }
  const { keys } = await REFUSALS.expired({ onEvent })
  const { key, record } = await keys.create({ owner, name: 'Sync', credits: { remaining: 5 } }, { actor: 'user_7' })
  const verdict = await keys.verify(key, { reserve: 2 })
  if (verdict.ok) await verdict.access?.settle(1)
  await keys.credit({ id: record.id }, 5)
  await keys.update(record.id, { name: 'New' }, { actor: 'user_7', address: '203.0.113.9' })
  await keys.disable(record.id)
  await keys.enable(record.id)
  await keys.rotate(record.id, { overlap: 0 })
  await keys.revoke(record.id, { reason: 'Leaked' })
  await keys.remove(record.id)
  await keys.close()
  return [...seen, record.id, key, owner, 'user_7', '203.0.113.9', 'Sync', 'Leaked']
}

const labelsIn = (text: string) =>
  [...text.matchAll(/^keyward_events_total(\{.*\}) \d+$/gm)].map(([, labels]) => labels)

it('G-08: the labels of metrics are the type and the code of events, as few as those are, and no id', async () => {
  const metrics = createMetrics()
  const seen = await driveAll(metrics, 'acct_1')
  const labels = labelsIn(metrics.text())
  const changes = ['created', 'updated', 'disabled', 'enabled', 'rotated', 'revoked', 'removed', 'credited', 'settled']
  expect(new Set(labels)).toEqual(
    new Set([
      ...[...changes, 'admitted'].map((type) => `{type="${type}",code=""}`),
      ...CODES.map((code) => `{type="denied",code="${code}"}`),
      '{type="fault",code="find"}', // of the store that is unavailable
    ]),
  )
  for (const text of seen) expect(metrics.text()).not.toContain(text)

  // Other keys, of other people: more of the same, and nothing new.
  for (const owner of ['acct_2', 'acct_3']) await driveAll(metrics, owner)
  expect(labelsIn(metrics.text())).toEqual(labels)
})

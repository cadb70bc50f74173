import { type ApiKeysOptions, createApiKeys, type Gate } from 'keyward'
import { purse } from './money.ts'
import { accessIn, listener } from './outcome.ts'

/** An instance with a gate, and a key with limits and credits. */
export async function gated(gate: unknown, options: Partial<ApiKeysOptions> = {}) {
  const heard = listener()
  const kept = await purse(
    { remaining: 5 },
    { gate: gate as Gate, storeTimeout: 30, onEvent: heard.onEvent, ...options },
    { limits: { hour: 5 }, scopes: ['a:read'], metadata: { plan: 'pro' } },
  )
  /** What is left of both, as a request that costs nothing would see it; its gate lets it. */
  const untouched = async () => {
    const { key, record } = kept.created
    const open = createApiKeys({ prefix: 'pay_', store: kept.store, clock: kept.clock })
    const { readings } = accessIn(await open.verify(key, { cost: 0 }))
    return [readings.map(({ remaining }) => remaining), await open.balance({ id: record.id })]
  }
  return { ...kept, heard, untouched }
}

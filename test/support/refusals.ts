import {
  type ApiKeys,
  type ApiKeysOptions,
  type Created,
  type CreateInput,
  createApiKeys,
  type Demand,
  type DenialCode,
} from 'keyward'
import { type FakeClock, fakeClock } from 'keyward/testing'
import { never, sabotagedStore, wrongSecretFor } from './stores.ts'

/** A request that a guard must refuse. */
export interface Scene {
  readonly keys: ApiKeys
  readonly demand: Demand
  /** The header lines of the request. */
  readonly lines: readonly string[]
  readonly created: Created
  readonly clock: FakeClock
}

/** Sets the scene for one refusal, with these options beside its own. */
export type Stage = (options?: Partial<ApiKeysOptions>) => Promise<Scene>

interface Plan {
  readonly options?: Partial<ApiKeysOptions>
  readonly input?: Partial<CreateInput>
  readonly demand?: Demand
  /** What happens to the key before the request. */
  before?(scene: Omit<Scene, 'lines' | 'demand'>): unknown
  /** What is sent, where it is not the key. */
  lines?(scene: Omit<Scene, 'lines' | 'demand'>): readonly string[]
}

const PREFIX = 'ref_'

function stage({ options: own, input, demand = {}, before, lines }: Plan): Stage {
  return async (options) => {
    const clock = fakeClock()
    const keys = createApiKeys({ prefix: PREFIX, clock, ...own, ...options })
    const created = await keys.create({ owner: 'acct_1', ...input })
    const scene = { keys, created, clock }
    await before?.(scene)
    return { ...scene, demand, lines: lines?.(scene) ?? [`X-API-Key: ${created.key}`] }
  }
}

/** One way to every refusal there is: a new code fails the build here. */
export const REFUSALS: Readonly<Record<DenialCode, Stage>> = {
  tls_required: stage({ options: { requireTls: true } }),
  missing_credentials: stage({ lines: () => [] }),
  incomplete_credentials: stage({ options: { pair: true } }),
  ambiguous_credentials: stage({ lines: ({ created: { key } }) => [`X-API-Key: ${key}`, `X-API-Key: ${key}`] }),
  invalid_key: stage({ before: ({ keys, created }) => keys.remove(created.record.id) }),
  revoked: stage({ before: ({ keys, created }) => keys.revoke(created.record.id, { reason: 'leaked' }) }),
  disabled: stage({ before: ({ keys, created }) => keys.disable(created.record.id) }),
  expired: stage({ input: { expiresAt: '2026-01-02T00:00:00Z' }, before: ({ clock }) => clock.advance('1d') }),
  environment_mismatch: stage({
    options: { prefix: { live: 'ref_live_', test: 'ref_test_' } },
    input: { environment: 'test' },
    demand: { environment: 'live' },
  }),
  ip_not_allowed: stage({ input: { allowedIps: ['198.51.100.0/24'] } }),
  owner_mismatch: stage({ demand: { owner: 'acct_2' } }),
  resource_mismatch: stage({ input: { resource: 'agent:42' }, demand: { resource: 'agent:7' } }),
  insufficient_scope: stage({
    input: { scopes: ['contacts:read'] },
    demand: { scopes: ['contacts:read', 'contacts:update'] },
  }),
  account_suspended: stage({ options: { gate: () => 'account_suspended' } }),
  insufficient_balance: stage({ input: { credits: { remaining: 0 } } }),
  rate_limited: stage({
    input: { limits: { minute: 2 } },
    before: ({ keys, created }) => keys.verify(created.key, { cost: 2 }),
  }),
  too_many_failures: stage({
    options: { failures: { limit: 1, window: '30s' } },
    before: async ({ keys }) =>
      keys.verify({ ...(await wrongSecretFor('0'.repeat(12), PREFIX)), address: '127.0.0.1' }),
  }),
  // A store of its own each time: one that answers nobody is soon not asked any more.
  unavailable: (options) => stage({ options: { store: deafStore(), storeTimeout: 20 } })(options),
}

export const CODES = Object.keys(REFUSALS) as DenialCode[]

/** A store that takes keys in and never answers for one. */
function deafStore() {
  const { store, break: sabotage } = sabotagedStore()
  sabotage('find', never)
  return store
}

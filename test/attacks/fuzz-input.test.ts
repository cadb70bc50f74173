import fc from 'fast-check'
import {
  type ApiKeysOptions,
  bearer,
  type CreateInput,
  createApiKeys,
  type Demand,
  header,
  hmac,
  type ListOptions,
  pair,
  type RotateOptions,
  type UpdatePatch,
} from 'keyward'
import { describe, expect, it } from 'vitest'
import { anything, pieces, REFUSALS, survives } from '../support/fuzz.ts'
import { spiedStore } from '../support/stores.ts'

const spied = spiedStore()
const keys = createApiKeys({ prefix: 'fuz_', store: spied.store, storeTimeout: '10s' })
const { key } = await keys.create({ owner: 'acct_1', limits: { minute: 5 } })

const ALL_CODES = [...REFUSALS, 'admitted', 'resource_mismatch', 'owner_mismatch', 'insufficient_scope', 'rate_limited']

/** An object of these fields, of which some are there with anything in them. */
const filled = (fields: readonly string[], value: fc.Arbitrary<unknown> = anything) =>
  fc.dictionary(
    fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...fields) }, { weight: 1, arbitrary: fc.string() }),
    value,
    {
      maxKeys: 4,
    },
  )

const DURATIONS = fc.oneof(
  fc
    .tuple(fc.oneof(fc.integer(), fc.double(), pieces), fc.constantFrom('ms', 's', 'm', 'h', 'd', 'w', 'y', '', ' s'))
    .map(([amount, unit]) => `${amount}${unit}`),
  fc.double(),
  fc.integer(),
  anything,
)
const MOMENTS = fc.oneof(
  fc.date({ noInvalidDate: false }),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc
    .tuple(fc.integer(), fc.integer({ min: -1, max: 14 }), fc.integer({ min: -1, max: 33 }))
    .map((parts) => parts.join('-')),
  anything,
)
const NETWORKS = fc.array(
  fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6(), pieces), fc.integer({ min: -2, max: 140 })).map((cidr) => cidr.join('/')),
    pieces,
    anything,
  ),
  { maxLength: 4 },
)
const WINDOWS = fc.oneof(
  filled(['second', 'minute', 'hour', 'day', 'week', '__proto__', 'constructor']),
  fc.array(
    fc.record({ name: fc.oneof(pieces, anything), limit: fc.oneof(fc.integer(), anything), window: DURATIONS }),
    { maxLength: 3 },
  ),
)
const CREATE = [
  'owner',
  'name',
  'description',
  'resource',
  'scopes',
  'limits',
  'allowedIps',
  'expiresAt',
  'environment',
  'credits',
  'metadata',
  '__proto__',
  'id',
  'hash',
]
const DEMAND = [
  'scopes',
  'resource',
  'owner',
  'environment',
  'cost',
  'reserve',
  'limits',
  'optional',
  'answers',
  '__proto__',
  'scope',
]
const OPTIONS = [
  'pair',
  'hasher',
  'sources',
  'scopes',
  'limits',
  'credits',
  'names',
  'gate',
  'failures',
  'trustedProxies',
  'cache',
  'storeTimeout',
  'reveal',
  'answers',
  'rateHeaders',
  'realm',
  'onEvent',
  'clock',
  'random',
  'generateId',
  'store',
]

describe('P-05 Whatever is asked for is done or refused by name', () => {
  it('create', async () => {
    const fields = fc.record(
      {
        owner: fc.constant('acct_1'),
        allowedIps: NETWORKS,
        limits: WINDOWS,
        expiresAt: MOMENTS,
        scopes: fc.array(pieces),
      },
      { requiredKeys: ['owner'] },
    )
    const input = fc.oneof(anything, filled(CREATE), fields)
    const created = spied.asked('insert')
    let done = 0
    const counted = async (given: unknown) => {
      const result = await keys.create(given as CreateInput)
      done++
      return result
    }
    await survives(input, counted, ['done', 'INPUT'], 2000)
    expect(spied.asked('insert') - created).toBe(done)
  })

  it('update', async () => {
    const patch = fc.oneof(
      anything,
      filled([...CREATE, 'previousSecretUntil']),
      fc.record({ limits: WINDOWS, expiresAt: MOMENTS }),
    )
    const { record } = await keys.create({ owner: 'acct_2' })
    await survives(patch, (given) => keys.update(record.id, given as UpdatePatch), ['done', 'INPUT'])
  })

  it('list, rotate, revokeAll, credit and ids', async () => {
    const by = filled(
      ['owner', 'resource', 'status', 'name', 'limit', 'cursor', 'actor', 'overlap', 'reason'],
      fc.oneof(pieces, DURATIONS),
    )
    await survives(by, (given) => keys.list(given as ListOptions), ['done', 'INPUT'], 500)
    await survives(fc.record({ overlap: DURATIONS }), (given) => keys.rotate('0'.repeat(12), given as RotateOptions), [
      'NOT_FOUND',
      'INPUT',
    ])
    await survives(by, (given) => keys.revokeAll({ ...given, owner: 'nobody' }), ['done', 'INPUT'], 500)
    await survives(anything, (given) => keys.credit(given as never, given as never), ['INPUT', 'NOT_FOUND'], 500)
    await survives(anything, (given) => keys.get(given as string, given as never), ['done', 'INPUT'], 500)
    await survives(anything, (given) => keys.revoke(given as string), ['NOT_FOUND'], 500)
  })

  it('a demand', async () => {
    const demand = fc.oneof(
      anything,
      filled(DEMAND),
      fc.record({ limits: WINDOWS }),
      fc.record({ scopes: fc.array(pieces) }),
    )
    await survives(demand, (given) => keys.verify(key, given as Demand), [...ALL_CODES, 'CONFIG'], 1500)
  })

  it('what functions of a demand give', async () => {
    const asked = (given: unknown): Demand => ({
      owner: () => given as string,
      resource: () => given as string,
      cost: () => given as number,
    })
    await survives(anything, (given) => keys.verify(key, asked(given)), [...ALL_CODES, 'CONFIG'])
  })

  it('the options of an instance', async () => {
    const parts = filled(OPTIONS)
    const timed = fc.record(
      { storeTimeout: DURATIONS, trustedProxies: NETWORKS, cache: fc.record({ maxLag: DURATIONS }) },
      { requiredKeys: [] },
    )
    const options = fc.oneof(
      anything,
      parts.map((given) => ({ ...given, prefix: 'fuz_' })),
      timed.map((given) => ({ ...given, prefix: 'fuz_' })),
      fc.record({ prefix: fc.oneof(pieces, anything) }),
    )
    await survives(options, (given) => createApiKeys(given as ApiKeysOptions), ['done', 'CONFIG'], 1500)
  })

  it('sources and hashers', async () => {
    await survives(anything, (given) => header(given as string), ['done', 'CONFIG'], 500)
    await survives(anything, (given) => pair(given as string, given as string), ['done', 'CONFIG'], 500)
    await survives(anything, (given) => bearer(given as object), ['done', 'CONFIG'], 500)
    await survives(anything, (given) => hmac(given as never), ['CONFIG'], 500)
  })
})

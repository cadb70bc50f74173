import { type Results as HttpResults, rowsOf as httpRows } from './http-report.ts'
import { type LoopResults, loopRows } from './loop-report.ts'
import { EMPTY_SCRIPT, GET, LEASED, MANY_KEYS } from './redis-errands.ts'
import { faster, longer, type RedisResults } from './redis-report.ts'
import { bytesOf, perRecord } from './redis-weight.ts'
import type { Results } from './report.ts'
import type { WeightResults } from './weight-report.ts'

/** One cell of the table that this project set out with. */
export interface Goal<R> {
  readonly what: string
  /** In the order of the table: what the figure is at most, or at least. */
  readonly most?: number
  readonly least?: number
  readonly unit?: string
  /** The figure; `undefined` where the run has none. */
  readonly of: (results: R) => number | undefined
}

const hashes: readonly (readonly [what: string, most: number, row: string])[] = [
  ['warm verify, full policy, two windows', 2.5, 'Keyward: warm verify, two windows, 100 CIDRs, 20 scopes, a resource'],
  [
    'the same, from addresses not seen before',
    2.5,
    'Keyward: warm verify, two windows, 100 CIDRs, 20 scopes, a resource, addresses not seen before',
  ],
  [
    'two windows, through a connection that proved the key before',
    1.2,
    'Keyward: warm verify of a request, two windows, on a connection that proved its key',
  ],
  [
    'the same, of 12 header lines',
    1.2,
    'Keyward: warm verify of a request of 12 header lines, two windows, on a connection that proved its key',
  ],
  ['malformed', 0.15, 'Keyward: malformed (a character is missing)'],
  ['bad checksum', 0.8, 'Keyward: bad checksum'],
  ['unknown', 3, 'Keyward: unknown key'],
]

const ratios: readonly (readonly [
  what: string,
  bound: Pick<Goal<Results>, 'most' | 'least'>,
  name: RegExp,
  base: RegExp,
])[] = [
  ['prefixed-api-key ÷ Keyward', { least: 1 }, /^prefixed/, /^Keyward/],
  ['keypal ÷ Keyward', { least: 6 }, /^keypal/, /^Keyward/],
  ['better-auth ÷ Keyward', { least: 250 }, /^better-auth/, /^Keyward/],
  ['8 IPv4 networks ÷ ipaddr.js', { most: 0.15 }, /^Keyward: 8 IPv4/, /^ipaddr/],
  ['8 IPv6 networks ÷ ipaddr.js', { most: 0.15 }, /^Keyward: 8 IPv6/, /^ipaddr/],
  ['8 IPv4 networks, new addresses ÷ ipaddr.js', { most: 0.15 }, /^Keyward, new addresses: 8 IPv4/, /^ipaddr/],
  ['8 IPv6 networks, new addresses ÷ ipaddr.js', { most: 0.15 }, /^Keyward, new addresses: 8 IPv6/, /^ipaddr/],
  ['1,024 IPv4 networks ÷ 8', { most: 1.5 }, /^Keyward: 1,024 IPv4/, /^Keyward: 8 IPv4/],
  ['1,024 IPv6 networks ÷ 8', { most: 1.5 }, /^Keyward: 1,024 IPv6/, /^Keyward: 8 IPv6/],
  ['verify at 1,000,000 keys ÷ at 1,000, any key', { most: 1.2 }, /any of 1,000,000 keys/, /any of 1,000 keys/],
  ['the same where 1,000 keys are busy', { most: 1.2 }, /busy keys among/, /any of 1,000 keys/],
  ['verify, owner of 100,000 keys ÷ of 10', { most: 1.1 }, /verify, a key of an owner with 100,000/, /with 10$/],
  ['create, owner of 100,000 keys ÷ of 10', { most: 1.1 }, /create, for an owner with 100,000/, /with 10$/],
  [
    'one page of list, owner of 100,000 keys ÷ of 10',
    { most: 1.5 },
    /list, 10 keys of an owner with 100,000/,
    /with 10$/,
  ],
]

export const VERIFY: readonly Goal<Results>[] = [
  ...hashes.map(([what, most, name]) => ({
    what,
    most,
    unit: 'H',
    of: ({ rows }: Results) => rows.find((row) => row.name === name)?.ratio.median,
  })),
  ...ratios.map(([what, bound, name, base]) => ({
    what,
    ...bound,
    of: ({ peers = [], suites = {} }: Partial<Results>) => {
      const all = [...peers, ...Object.values(suites).flatMap(({ besides }) => besides)]
      return all.find((each) => name.test(each.name) && base.test(each.base))?.ratio.median
    },
  })),
  { what: 'memory store, a key as created', most: 400, unit: 'bytes', of: ({ memory }) => memory.stored },
]

const FRAMEWORKS = ['Express', 'Fastify', 'Koa']

/** CPU of the server a request ÷ bare. */
export const HTTP: readonly Goal<HttpResults>[] = [
  ...FRAMEWORKS.map((framework) => guarded(framework, 'Keyward, no headers', framework === 'Express' ? 1.07 : 1.05)),
  ...FRAMEWORKS.map((framework) => guarded(framework, 'Keyward, RateLimit headers', 1.12)),
  ...FRAMEWORKS.map((framework) => guarded(framework, 'Keyward, 401 for an unknown key', 1.05)),
]

function guarded(framework: string, name: string, most: number): Goal<HttpResults> {
  const of = ({ measured }: HttpResults) => httpRows(measured, framework).find((row) => row.name === name)?.ratio.median
  return { what: `${framework}, CPU ÷ bare: ${name}`, most, of }
}

function flight({ flights }: RedisResults, wanted: number) {
  return flights.find(({ inFlight }) => inFlight === wanted) ?? { runs: [] }
}

export const REDIS: readonly Goal<RedisResults>[] = [
  { what: 'Redis, alone: latency ÷ GET', most: 1.15, of: (found) => longer(flight(found, 1), MANY_KEYS, GET).median },
  { what: 'Redis, 256 in flight: ÷ GET', least: 1.5, of: (found) => faster(flight(found, 256), MANY_KEYS, GET).median },
  {
    what: 'Redis, 32 in flight: ÷ an empty script',
    least: 0.8,
    of: (found) => faster(flight(found, 32), MANY_KEYS, EMPTY_SCRIPT).median,
  },
  {
    what: 'leases of 100, 32 in flight: ÷ without leases',
    least: 10,
    of: (found) => faster(flight(found, 32), LEASED, GET).median / faster(flight(found, 32), MANY_KEYS, GET).median,
  },
  {
    what: 'leases of 100, alone: ÷ GET',
    least: 30,
    of: (found) => faster(flight(found, 1), LEASED, GET).median,
  },
  {
    what: 'leases of 100: commands a request',
    most: 0.0105,
    of: ({ commands = [] }: Partial<RedisResults>) => commands.find(({ name }) => name === LEASED)?.sent,
  },
  {
    what: 'Redis, a key',
    most: 400,
    unit: 'bytes',
    of: ({ weight }: Partial<RedisResults>) => weight && bytesOf(weight.stored),
  },
  { what: 'Redis keys a record', most: 1, of: ({ weight }: Partial<RedisResults>) => weight && perRecord(weight) },
]

const EXPRESS = 'keyward/express'

export const WEIGHT: readonly Goal<WeightResults>[] = [
  {
    what: `import '${EXPRESS}'`,
    most: 12,
    unit: 'ms',
    of: ({ starts }) => starts.find(({ name }) => name === EXPRESS)?.importing.median,
  },
  {
    what: `${EXPRESS}, Brotli`,
    most: 12,
    unit: 'kB',
    of: ({ entries }) => Number(entries.find(({ name }) => name === EXPRESS)?.brotli) / 1000,
  },
  {
    what: 'installed with dependencies',
    most: 1.5,
    unit: 'MB',
    of: ({ installed }) => Object.values(installed).reduce((sum, bytes) => sum + bytes, 0) / 1e6,
  },
]

export const LOOP: readonly Goal<LoopResults>[] = ['Express', 'Fastify'].map((framework) => ({
  what: `${framework}, event-loop delay p99 at saturation ÷ bare`,
  most: 1.1,
  of: ({ delays }) => loopRows(delays, framework).at(-1)?.ratio.median,
}))

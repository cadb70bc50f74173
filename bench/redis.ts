import { mkdirSync, writeFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { startRedis } from '../test/support/redis.ts'
import { type Cost, type Costs, type Flight, fly } from './flight.ts'
import { ratios, spreadOf } from './instrument.ts'
import { EMPTY_SCRIPT, flexible, floor, GET, keywardErrands, rateLimitRedis } from './redis-errands.ts'
import { machine, versions } from './report.ts'

// npm run bench:redis            measures all and writes bench/results/redis.json
// npm run bench:redis -- quick   a third of the rounds, and prints only
const isQuick = process.argv.includes('quick')
const FLIGHTS: readonly Flight[] = [
  { inFlight: 1, calls: 2_000, rounds: isQuick ? 3 : 9 },
  { inFlight: 32, calls: 10_000, rounds: isQuick ? 5 : 15 },
  { inFlight: 256, calls: 10_000, rounds: isQuick ? 5 : 15 },
]

const before = machine()
const server = await startRedis()
const client = new Redis(server.url)
const pipelining = new Redis(server.url, { enableAutoPipelining: true })
try {
  const errands = [
    ...(await floor(client)),
    ...(await floor(pipelining, ', enableAutoPipelining')),
    ...(await keywardErrands(client)),
    flexible(client),
    rateLimitRedis(client),
  ]
  for (const errand of errands) await errand.check()
  const all = []
  for (const flight of FLIGHTS) {
    console.error(`${flight.inFlight} in flight, ${flight.rounds} rounds of ${flight.calls} calls ...`)
    const costs = await fly(errands, flight, serverTime)
    console.log(`\n${tableOf(costs, flight)}`)
    all.push({ ...flight, costs })
  }
  if (!isQuick) {
    const folder = new URL('./results/', import.meta.url)
    mkdirSync(folder, { recursive: true })
    const redis = /redis_version:(\S+)/.exec(await client.info('server'))?.[1]
    const results = { command: 'npm run bench:redis', at: new Date().toISOString(), machine: before }
    const text = JSON.stringify({ ...results, versions: { ...versions(), redis }, flights: all }, undefined, 2)
    writeFileSync(new URL('redis.json', folder), `${text}\n`)
  }
} finally {
  await server.stop()
}
process.exit()

/** CPU that the server has used, µs. */
async function serverTime(): Promise<number> {
  const text = await client.info('cpu')
  const seconds = [...text.matchAll(/^used_cpu_(?:user|sys):([\d.]+)/gm)].map(([, used]) => Number(used))
  return seconds.reduce((sum, used) => sum + used, 0) * 1e6
}

function tableOf(costs: Costs, { inFlight }: Flight): string {
  const median = (name: string, part: keyof Cost) => spreadOf((costs[name] ?? []).map((cost) => cost[part])).median
  const times = (name: string) => (costs[name] ?? []).map(({ time }) => time)
  // How often as many calls as of the base: above 1 it is faster.
  const faster = (name: string, base: string) => {
    const { q1, median, q3 } = spreadOf(ratios(times(base), times(name)))
    return `${median.toFixed(2)} (${q1.toFixed(2)}–${q3.toFixed(2)})`
  }
  const rows = Object.keys(costs).map((name) => {
    const [time, own, servers] = [median(name, 'time'), median(name, 'client'), median(name, 'server')]
    const speed = Math.round(1e6 / time / 100) * 100
    const cells = [name, speed, faster(name, EMPTY_SCRIPT), faster(name, GET), own.toFixed(1), servers.toFixed(1)]
    return `| ${cells.join(' | ')} |`
  })
  return [
    `| ${inFlight} in flight | a second | ÷ empty script | ÷ GET | CPU of the client, µs | CPU of the server, µs |`,
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

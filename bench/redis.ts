import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { startRedis } from '../test/support/redis.ts'
import { type Flight, fly } from './flight.ts'
import { keep } from './program.ts'
import { commandsText, countCommands } from './redis-commands.ts'
import { flexible, floor, keywardErrands, rateLimitRedis } from './redis-errands.ts'
import { markdown, type RedisResults, tableOf } from './redis-report.ts'
import { weigh, weightText } from './redis-weight.ts'
import { machine, versions } from './report.ts'

// npm run bench:redis            measures all and writes bench/REDIS.md and bench/results/redis.json
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
  const weight = await weigh(client)
  console.log(weightText(weight))
  const ours = await keywardErrands(client)
  const errands = [
    ...(await floor(client)),
    ...(await floor(pipelining, ', enableAutoPipelining')),
    ...ours,
    flexible(client),
    rateLimitRedis(client),
  ]
  for (const errand of errands) await errand.check()
  const flights = []
  for (const flight of FLIGHTS) {
    console.error(`${flight.inFlight} in flight, ${flight.rounds} rounds of ${flight.calls} calls ...`)
    const costs = await fly(errands, flight, serverTime)
    console.log(`\n${tableOf(costs, flight)}`)
    flights.push({ ...flight, costs })
  }
  const commands = []
  for (const errand of [...ours, flexible(client), rateLimitRedis(client)]) {
    commands.push(await countCommands(client, errand))
  }
  console.log(`\n${commandsText(commands)}`)
  if (!isQuick) {
    const results: RedisResults = {
      command: 'npm run bench:redis',
      at: new Date().toISOString(),
      machine: before,
      versions: { ...versions(), ioredis: ioredisVersion(), redis: await redisVersion() },
      flights,
      commands,
      weight,
    }
    keep('redis', results, 'REDIS.md', markdown(results))
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

async function redisVersion(): Promise<string | undefined> {
  return /redis_version:(\S+)/.exec(await client.info('server'))?.[1]
}

function ioredisVersion(): string {
  return JSON.parse(readFileSync(new URL('../node_modules/ioredis/package.json', import.meta.url), 'utf8')).version
}

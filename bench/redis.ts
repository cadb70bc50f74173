import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { startRedis } from '../test/support/redis.ts'
import type { Flight } from './flight.ts'
import { answerOf, compile, keep } from './program.ts'
import { commandsText } from './redis-commands.ts'
import { ERRANDS } from './redis-errands.ts'
import type { Flown } from './redis-flights.ts'
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
await compile('redis-flights')
const server = await startRedis()
try {
  const client = new Redis(server.url)
  const weight = await weigh(client)
  console.log(weightText(weight))
  const flown: Flown[] = []
  for (const name of Object.keys(ERRANDS)) {
    console.error(`${name} ...`)
    flown.push(await answerOf<Flown>('redis-flights', [server.url, name, JSON.stringify(FLIGHTS)]))
  }
  const flights = FLIGHTS.map((flight, at) => ({ ...flight, runs: flown.map(({ costs }) => costs[at] ?? {}) }))
  for (const flight of flights) console.log(`\n${tableOf(flight)}`)
  const commands = flown.flatMap(({ commands }) => commands)
  console.log(`\n${commandsText(commands)}`)
  if (!isQuick) {
    const results: RedisResults = {
      command: 'npm run bench:redis',
      at: new Date().toISOString(),
      machine: before,
      versions: { ...versions(), ioredis: ioredisVersion(), redis: await redisVersion(client) },
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

async function redisVersion(client: Redis): Promise<string | undefined> {
  return /redis_version:(\S+)/.exec(await client.info('server'))?.[1]
}

function ioredisVersion(): string {
  return JSON.parse(readFileSync(new URL('../node_modules/ioredis/package.json', import.meta.url), 'utf8')).version
}

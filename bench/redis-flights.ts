import { Redis } from 'ioredis'
import { type Costs, type Flight, fly } from './flight.ts'
import { type Commands, countCommands } from './redis-commands.ts'
import { EMPTY_SCRIPT, ERRANDS, GET } from './redis-errands.ts'

/** What a process found: the costs of its errands, for each flight, and the commands of those that are no floor. */
export interface Flown {
  readonly costs: readonly Costs[]
  readonly commands: readonly Commands[]
}

/** Before anything counts: an engine that still compiles takes twice as long. */
const WARM_UP: Flight = { inFlight: 32, calls: 40_000, rounds: 0 }

// A process of its own: asks the Redis at this address for what belongs together, and answers with what it cost.
const [url = '', name = '', flights = '[]'] = process.argv.slice(2)

const client = new Redis(url)
const errands = (await ERRANDS[name]?.(client)) ?? []
for (const errand of errands) await errand.check()
await fly(errands, WARM_UP, serverTime)
const costs: Costs[] = []
for (const flight of JSON.parse(flights) as readonly Flight[]) costs.push(await fly(errands, flight, serverTime))
const commands: Commands[] = []
for (const errand of errands.filter((each) => ![GET, EMPTY_SCRIPT].some((floor) => each.name.startsWith(floor)))) {
  commands.push(await countCommands(client, errand))
}
process.send?.({ costs, commands } satisfies Flown)
process.exit()

/** CPU that the server has used, µs. */
async function serverTime(): Promise<number> {
  const text = await client.info('cpu')
  const seconds = [...text.matchAll(/^used_cpu_(?:user|sys):([\d.]+)/gm)].map(([, used]) => Number(used))
  return seconds.reduce((sum, used) => sum + used, 0) * 1e6
}

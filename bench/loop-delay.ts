import autocannon, { type Client } from 'autocannon'
import { BARE } from './http-apps.ts'
import { type Delay, type LoopResults, loopTable, markdown } from './loop-report.ts'
import { compile, keep } from './program.ts'
import { machine, versions } from './report.ts'
import { type Served, serve } from './served.ts'

// npm run bench:loop            measures and writes bench/LOOP.md and bench/results/loop.json
// npm run bench:loop -- quick   a few runs, and prints only
const isQuick = process.argv.includes('quick')

/** Each application is started so many times, and in each process asked so often, by turns. */
const PASSES = isQuick ? 1 : 5
const ROUNDS = isQuick ? 4 : 6
const SECONDS = 2
const WARM_UP = 3
/** Enough that the server always has requests waiting. */
const CONNECTIONS = 64
const GUARD = 'Keyward, RateLimit headers'

const before = machine()
await compile('loop-server')
const delays: Delay[] = []
for (const framework of ['Express', 'Fastify']) {
  for (let pass = 1; pass <= PASSES; pass++) {
    const bare = await start(framework, BARE)
    const guarded = await start(framework, GUARD)
    for (const lane of [bare, guarded]) await saturate(lane, WARM_UP)
    for (let round = 0; round < ROUNDS; round++) {
      // ABBA: what the machine does by the way weighs on both alike.
      const order = round % 2 === 0 ? [bare, guarded] : [guarded, bare]
      for (const lane of order) {
        // What it tells is since it was asked last.
        await lane.server.tell()
        const rate = await saturate(lane, SECONDS)
        const told = await lane.server.tell<Pick<Delay, 'p50' | 'p99' | 'max'>>()
        delays.push({ framework, name: lane.name, round: pass * ROUNDS + round, rate, ...told })
      }
    }
    for (const { server } of [bare, guarded]) await server.stop()
    console.error(`${framework}, ${pass} of ${PASSES} processes`)
  }
  console.log(`\n${framework}\n\n${loopTable(delays, framework)}`)
}

if (!isQuick) {
  const results: LoopResults = {
    command: 'npm run bench:loop',
    at: new Date().toISOString(),
    machine: before,
    versions: versions(),
    passes: PASSES,
    rounds: ROUNDS,
    seconds: SECONDS,
    connections: CONNECTIONS,
    delays,
  }
  keep('loop', results, 'LOOP.md', markdown(results))
}

interface Lane {
  readonly name: string
  readonly server: Served
}

async function start(framework: string, name: string): Promise<Lane> {
  return { name, server: await serve('loop-server', [framework, name]) }
}

/** Asks for so long, from as many callers as connections; requests a second. */
async function saturate({ name, server }: Lane, duration: number): Promise<number> {
  const { port, sent } = server
  let opened = 0
  const { requests, non2xx, errors } = await autocannon({
    url: `http://127.0.0.1:${port}/`,
    duration,
    connections: CONNECTIONS,
    setupClient: (client: Client) => client.setHeaders({ authorization: sent[opened++ % sent.length] }),
  })
  if (non2xx > 0 || errors > 0) throw new Error(`${name}: ${non2xx} refused, ${errors} lost`)
  return requests.average
}

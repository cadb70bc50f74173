import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import autocannon, { type Client } from 'autocannon'
import { BARE } from './http-apps.ts'
import { type Delay, type LoopResults, loopTable, markdown } from './loop-report.ts'
import { compile, FOLDER, keep } from './program.ts'
import { machine, versions } from './report.ts'

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
    for (const server of [bare, guarded]) await saturate(server, WARM_UP)
    for (let round = 0; round < ROUNDS; round++) {
      // ABBA: what the machine does by the way weighs on both alike.
      const order = round % 2 === 0 ? [bare, guarded] : [guarded, bare]
      for (const server of order) {
        await server.delay()
        const rate = await saturate(server, SECONDS)
        delays.push({ framework, name: server.name, round: pass * ROUNDS + round, rate, ...(await server.delay()) })
      }
    }
    for (const server of [bare, guarded]) await server.stop()
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

interface Running {
  readonly name: string
  readonly port: number
  readonly sent: readonly string[]
  /** Since it was asked last. */
  delay(): Promise<Pick<Delay, 'p50' | 'p99' | 'max'>>
  stop(): Promise<void>
}

async function start(framework: string, name: string): Promise<Running> {
  const env = { ...process.env, NODE_ENV: 'production' }
  const child = fork(`${FOLDER}loop-server.js`, [framework, name], { env, execArgv: [] })
  const { port, sent } = await next<{ port: number; sent: readonly string[] }>(child)
  return {
    name,
    port,
    sent,
    async delay() {
      child.send('delay')
      return next(child)
    },
    async stop() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

async function next<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the server ended with ${code}`)))
  const [message] = await Promise.race([once(child, 'message'), ended])
  return message as T
}

/** Asks for so long, from as many callers as connections; requests a second. */
async function saturate({ name, port, sent }: Running, duration: number): Promise<number> {
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

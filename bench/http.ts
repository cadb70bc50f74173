import autocannon, { type Client } from 'autocannon'
import { BARE, type Variant } from './http-apps.ts'
import { FRAMEWORKS } from './http-peers.ts'
import { type Measured, markdown, type Results, rowsOf, table } from './http-report.ts'
import { compile, keep } from './program.ts'
import { machine, versions } from './report.ts'
import { type Served, serve } from './served.ts'

// npm run bench:http                      measures every framework and writes bench/HTTP.md and bench/results/http.json
// npm run bench:http -- Fastify           one framework, and prints only
// npm run bench:http -- Fastify Keyward   one framework, of it the variants whose names hold the word, and prints only
const [only = '', word = ''] = process.argv.slice(2)

/** Each variant is started so many times: one process alone is off by up to 8 %. */
const PASSES = Number(process.env.PASSES ?? 6)
/** Each time beside a bare server that is as fresh, both by turns: the machine's own pace changes within seconds. */
const ROUNDS = Number(process.env.ROUNDS ?? 2)
const CONNECTIONS = 16
/** Seconds of each: for some 200,000 requests the engine still compiles, and what it has not compiled yet costs twice as much. */
const WARM_UP = Number(process.env.WARM_UP ?? 3)
/** In one go: so many that it does not weigh what a server takes until the processor's caches hold it again. */
const REQUESTS = Number(process.env.REQUESTS ?? 10_000)
/** So high that nothing is refused. */
const HIGH = 1e9

const before = machine()
await compile('http-server')

const measured: Measured[] = []
let round = 0
for (const [framework, all] of Object.entries(FRAMEWORKS).filter(([name]) => only === '' || name === only)) {
  const variants = all.filter(({ name }) => name === BARE || name.includes(word))
  if (!process.env.NOCHECK) for (const variant of variants) await check(framework, variant)
  const [bare, ...others] = variants as [Variant, ...Variant[]]
  for (let pass = 1; pass <= PASSES; pass++) {
    for (const variant of others) measured.push(...(await beside(framework, bare, variant)))
    console.error(`${framework}, ${pass} of ${PASSES}\n${table(rowsOf(measured, framework))}`)
  }
  console.log(`\n${framework}\n\n${table(rowsOf(measured, framework))}`)
}

if (only === '') {
  const results: Results = {
    command: 'npm run bench:http',
    at: new Date().toISOString(),
    machine: before,
    versions: versions(),
    passes: PASSES,
    rounds: ROUNDS,
    connections: CONNECTIONS,
    warmUp: WARM_UP,
    requests: REQUESTS,
    measured,
  }
  keep('http', results, 'HTTP.md', markdown(results))
}

/** A variant in a process of its own. */
interface Lane {
  readonly variant: Variant
  readonly server: Served
}

/** A variant and a bare server, in rounds of bare, variant, variant, bare: what came before weighs on both alike. */
async function beside(framework: string, bare: Variant, variant: Variant): Promise<readonly Measured[]> {
  const [a, b] = await Promise.all([startLane(framework, bare), startLane(framework, variant)])
  await warmUp([a, b])
  const found: Measured[] = []
  for (let n = 0; n < ROUNDS; n++) {
    round++
    for (const lane of [a, b, b, a]) found.push({ framework, name: lane.variant.name, round, ...(await timeOf(lane)) })
  }
  await Promise.all([a.server.stop(), b.server.stop()])
  return found
}

async function startLane(framework: string, variant: Variant): Promise<Lane> {
  return { variant, server: await start(framework, variant, HIGH) }
}

function start(framework: string, { name }: Variant, limit: number): Promise<Served> {
  return serve('http-server', [framework, name, String(limit)])
}

/** Microseconds of CPU since it began. */
async function cpuOf({ tell }: Served): Promise<number> {
  return (await tell<{ cpu: number }>()).cpu
}

/** @throws where a variant does not do the work that it is timed for */
async function check(framework: string, variant: Variant): Promise<void> {
  const { verifies, windows, status = 200 } = variant
  const server = await start(framework, variant, 2)
  try {
    const ask = async (authorization: string) =>
      (await fetch(`http://127.0.0.1:${server.port}/`, { headers: { authorization } })).status
    const [first = ''] = server.sent
    const got = [await ask(first), await ask(first), await ask(first), await ask(`${first.slice(0, -4)}~~~~`)]
    const stranger = verifies ? 401 : 200
    const wanted = [status, status, windows > 0 ? 429 : status, stranger]
    if (String(got) !== String(wanted)) throw new Error(`${framework}, ${variant.name}: ${got} in place of ${wanted}`)
  } finally {
    await server.stop()
  }
}

/** Microseconds of the server's CPU a request, and requests a second. */
async function timeOf(lane: Lane): Promise<{ cpu: number; rate: number }> {
  const requests = REQUESTS / (lane.variant.takes ?? 1)
  const before = await cpuOf(lane.server)
  const seconds = await load(lane, requests)
  return { cpu: ((await cpuOf(lane.server)) - before) / requests, rate: requests / seconds }
}

/**
 * By turns, as they are timed, each turn with connections of its own. One after the other would not do: of processes that
 * are alike, one that has waited for some seconds before it is warmed up was found to cost up to a fifth more ever after.
 */
async function warmUp(lanes: readonly Lane[]): Promise<void> {
  const until = performance.now() + WARM_UP * lanes.length * 1000
  while (performance.now() < until) {
    for (const lane of lanes) await load(lane, REQUESTS / (lane.variant.takes ?? 1))
  }
}

/** Asks so often; how many seconds it took. autocannon itself looks only once a second whether it is done. */
async function load({ server, variant }: Lane, amount: number): Promise<number> {
  const { status = 200, name, isMixed } = variant
  const { port, sent } = server
  const url = `http://127.0.0.1:${port}/`
  let opened = 0
  const senders = isMixed
    ? { requests: sent.map((authorization) => ({ headers: { authorization } })) }
    : { setupClient: (client: Client) => client.setHeaders({ authorization: sent[opened++ % sent.length] }) }
  const began = performance.now()
  let answers = 0
  await new Promise<void>((resolve, reject) => {
    const asked = autocannon({ url, amount, connections: CONNECTIONS, ...senders }, () => {})
    asked.on('reqError', reject)
    asked.on('response', (_client, got) => {
      if (got !== status) reject(new Error(`${name}: ${got} in place of ${status}`))
      if (++answers === amount) resolve()
    })
  })
  return (performance.now() - began) / 1000
}

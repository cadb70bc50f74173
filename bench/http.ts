import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import autocannon, { type Client } from 'autocannon'
import { build } from 'tsup'
import { BARE, type Variant } from './http-apps.ts'
import { FRAMEWORKS } from './http-peers.ts'
import { type Measured, markdown, type Results, rowsOf, table } from './http-report.ts'
import { machine, versions } from './report.ts'

// npm run bench:http                      measures every framework and writes bench/HTTP.md and bench/results/http.json
// npm run bench:http -- Fastify           one framework, and prints only
// npm run bench:http -- Fastify Keyward   one framework, of it the variants whose names hold the word, and prints only
const [only = '', word = ''] = process.argv.slice(2)

/** Each variant is started so many times, in the order of a palindrome: whatever drifts weighs on all of them alike. */
const PASSES = Number(process.env.PASSES ?? 6)
const CONNECTIONS = 16
const WARM_UP = Number(process.env.WARM_UP ?? 10_000)
const REQUESTS = Number(process.env.REQUESTS ?? 20_000)
/** So high that nothing is refused. */
const HIGH = 1e9

const folder = fileURLToPath(new URL('./results/', import.meta.url))
const before = machine()

// Timed is what ships: the sources through the compiler of the package, and no loader in between.
await build({
  config: false,
  entry: ['bench/http-server.ts'],
  outDir: folder,
  format: 'esm',
  target: 'node20',
  skipNodeModulesBundle: true,
  removeNodeProtocol: false,
  silent: true,
})

const measured: Measured[] = []
for (const [framework, all] of Object.entries(FRAMEWORKS).filter(([name]) => only === '' || name === only)) {
  const variants = all.filter(({ name }) => name === BARE || name.includes(word))
  for (const variant of variants) await check(framework, variant)
  for (let pass = 1; pass <= PASSES; pass++) {
    // Bare on both ends of every pass: a ratio is to the mean of the two.
    const [bare, ...others] = variants as [Variant, ...Variant[]]
    const order = [bare, ...(pass % 2 === 1 ? others : others.toReversed()), bare]
    for (const variant of order) {
      const told = await timeOf(framework, variant)
      measured.push({ framework, name: variant.name, pass, ...told })
      console.error(
        `${framework} ${pass}/${PASSES} ${variant.name}: ${told.cpu.toFixed(1)} µs, ${told.rate.toFixed(0)}/s`,
      )
    }
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
    connections: CONNECTIONS,
    warmUp: WARM_UP,
    requests: REQUESTS,
    measured,
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}http.json`, `${JSON.stringify(results, undefined, 2)}\n`)
  writeFileSync(new URL('./HTTP.md', import.meta.url), markdown(results))
}

interface Running {
  readonly port: number
  readonly sent: readonly string[]
  /** Microseconds of CPU since it began. */
  cpu(): Promise<number>
  stop(): Promise<void>
}

async function start(framework: string, { name }: Variant, limit: number): Promise<Running> {
  const env = { ...process.env, NODE_ENV: 'production' }
  const child = fork(`${folder}http-server.js`, [framework, name, String(limit)], { env, execArgv: ['--no-warnings'] })
  const { port, sent } = await answerOf<{ port: number; sent: readonly string[] }>(child)
  return {
    port,
    sent,
    async cpu() {
      child.send('cpu')
      return (await answerOf<{ cpu: number }>(child)).cpu
    },
    async stop() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const [answer] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the server ended with ${code}`))),
  ])
  return answer as T
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

/** A fresh process, asked from this one: microseconds of its CPU a request, and requests a second. */
async function timeOf(framework: string, variant: Variant): Promise<{ cpu: number; rate: number }> {
  const server = await start(framework, variant, HIGH)
  try {
    await load(server, WARM_UP, variant)
    const before = await server.cpu()
    const seconds = await load(server, REQUESTS, variant)
    return { cpu: ((await server.cpu()) - before) / REQUESTS, rate: REQUESTS / seconds }
  } finally {
    await server.stop()
  }
}

/** Asks so often; how many seconds it took. autocannon itself tells whole seconds, in which it looks whether it is done. */
async function load(
  { port, sent }: Running,
  amount: number,
  { status = 200, name, isMixed }: Variant,
): Promise<number> {
  const url = `http://127.0.0.1:${port}/`
  let opened = 0
  const senders = isMixed
    ? { requests: sent.map((authorization) => ({ headers: { authorization } })) }
    : { setupClient: (client: Client) => client.setHeaders({ authorization: sent[opened++ % sent.length] }) }
  const began = performance.now()
  let ended = began
  let answers = 0
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const told = (error: unknown, all: autocannon.Result) => (error ? reject(error) : resolve(all))
    autocannon({ url, amount, connections: CONNECTIONS, ...senders }, told).on('response', () => {
      if (++answers === amount) ended = performance.now()
    })
  })
  const answered = status === 200 ? result['2xx'] : result['4xx']
  if (answered !== amount || result.errors > 0) throw new Error(`${name}: ${answered} of ${amount} were right`)
  return (ended - began) / 1000
}

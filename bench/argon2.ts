/**
 * A thousand wrong argon2id secrets at once, and what they do to a process that also serves SHA-256 keys: how much
 * memory grows over idle, and how long the others wait. Server and clients are processes of their own.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import express from 'express'
import { guard } from '../adapters/express.ts'
import { argon2id } from '../src/hash/argon2id.ts'
import { createApiKeys, type KeyStore, memoryStore } from '../src/index.ts'

const WRONG = 1000

interface Ready {
  readonly port: number
  readonly valid: string
  readonly wrong: readonly string[]
}

interface Memory {
  readonly rss: number
}

/** Keys that nobody stores, all of one id. */
function forgetful(): KeyStore {
  return { ...memoryStore(), insert: () => {} }
}

async function serve(): Promise<void> {
  const slow = createApiKeys({ prefix: 'slow_', hasher: argon2id() })
  const fast = createApiKeys({ prefix: 'fast_' })
  const { record } = await slow.create({ owner: 'acct_1' })
  const { key: valid } = await fast.create({ owner: 'acct_1' })
  const forger = createApiKeys({ prefix: 'slow_', store: forgetful(), generateId: () => record.id })
  const wrong = await Promise.all(Array.from({ length: WRONG }, async () => (await forger.create({ owner: 'x' })).key))

  const app = express()
  app.get('/slow', guard(slow), (_req, res) => void res.end())
  app.get('/fast', guard(fast), (_req, res) => void res.end())
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.on('message', () => process.send?.({ rss: process.memoryUsage().rss } satisfies Memory))
  process.send?.({ port: (server.address() as AddressInfo).port, valid, wrong } satisfies Ready)
}

function get(agent: Agent, port: number, path: string, key: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request({ agent, port, path, host: '127.0.0.1', headers: { 'x-api-key': key } }, (res) => {
      res.resume().on('end', () => resolve(res.statusCode ?? 0))
    })
    call.on('error', reject).end()
  })
}

/** Latencies (ms) of one client that asks again and again until `ended`. */
async function probe({ port, valid }: Ready, ended: () => boolean): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const latencies: number[] = []
  while (!ended()) {
    const start = performance.now()
    const status = await get(agent, port, '/fast', valid)
    if (status !== 200) throw new Error(`a valid key was answered ${status}`)
    latencies.push(performance.now() - start)
  }
  agent.destroy()
  return latencies.sort((a, b) => a - b)
}

async function measure(): Promise<void> {
  const child = fork(process.argv[1] as string, ['serve'])
  const [ready] = (await once(child, 'message')) as [Ready]
  const rss = async () => {
    child.send('rss')
    const [memory] = (await once(child, 'message')) as [Memory]
    return memory.rss / 2 ** 20
  }
  let idleEnded = false
  setTimeout(() => (idleEnded = true), 2000)
  const idle = await probe(ready, () => idleEnded)
  const before = await rss()

  let ended = false
  let peak = before
  const watching = (async () => {
    for (; !ended; await pause(50)) peak = Math.max(peak, await rss())
  })()
  const agent = new Agent({ keepAlive: true, maxSockets: WRONG })
  const flood = Promise.all(ready.wrong.map((key) => get(agent, ready.port, '/slow', key)))
  const busy = probe(ready, () => ended)
  const statuses = await flood
  ended = true
  const latencies = await busy
  await watching
  agent.destroy()
  child.kill()

  const refused = statuses.filter((status) => status === 401).length
  const turnedAway = statuses.filter((status) => status === 503).length
  const at = (sorted: readonly number[], share: number) =>
    (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(2)
  console.log(`node ${process.version}, ${cpus().length} processors, argon2id with 19 MiB and 2 passes`)
  console.log(`${WRONG} wrong secrets at once: ${refused} refused (401), ${turnedAway} turned away (503)`)
  console.log(
    `memory: ${before.toFixed(0)} MiB idle, ${peak.toFixed(0)} MiB at most, grown by ${(peak - before).toFixed(0)} MiB`,
  )
  console.log(`SHA-256 keys idle:   p50 ${at(idle, 0.5)} ms, p99 ${at(idle, 0.99)} ms (${idle.length} requests)`)
  console.log(
    `SHA-256 keys meanwhile: p50 ${at(latencies, 0.5)} ms, p99 ${at(latencies, 0.99)} ms (${latencies.length} requests)`,
  )
}

if (import.meta.url === pathToFileURL(process.argv[1] as string).href) {
  await (process.argv[2] === 'serve' ? serve() : measure())
}

import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request as ask } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { compiled } from '../support/compiled.ts'
import { tally } from '../support/limited.ts'
import type { ClusterAnswer, ClusterJob } from './cluster-program.ts'

const program = new URL('cluster-program.ts', import.meta.url)

/** A cluster that serves one key until the test ends. */
async function startCluster(job: ClusterJob) {
  const child = fork(await compiled(program), [JSON.stringify(job)], { execArgv: [], silent: true })
  onTestFinished(() => {
    if (child.connected) child.disconnect()
  })
  const { port, key } = await said(child)
  /** What each process was warned of; the first is the primary. */
  const warnings = async () => {
    child.send('warnings')
    return (await said(child)).warnings
  }
  return { port, key, warnings }
}

function said(child: ChildProcess): Promise<ClusterAnswer> {
  return new Promise((resolve, reject) => {
    const died = (code: unknown) => reject(new Error(`the cluster ended with ${code}`))
    child.once('exit', died)
    child.once('message', (message) => {
      child.off('exit', died)
      resolve(message as ClusterAnswer)
    })
  })
}

/** Asks so often over so many connections; which process admitted how many, and how many were refused. */
async function storm(port: number, key: string, requests: number, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  onTestFinished(() => agent.destroy())
  const statuses: number[] = []
  const admitted: Record<string, number> = {}
  let next = 0
  const lane = async () => {
    while (next++ < requests) {
      const { status, body } = await send(port, key, agent)
      statuses.push(status)
      const { pid } = JSON.parse(body) as { pid?: number }
      if (pid !== undefined) admitted[pid] = (admitted[pid] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: connections }, lane))
  return { statuses: tally(statuses), admitted: Object.values(admitted) }
}

function send(port: number, key: string, agent: Agent): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}` }
    const sent = ask({ port, host: '127.0.0.1', agent, headers }, (response) =>
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject),
    )
    sent.on('error', reject)
    sent.end()
  })
}

function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-cluster-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'keys.db')
}

describe('L. A cluster of four', () => {
  it('L-05 on one file admits exactly the limit together, over 64 connections each, and nobody is warned', async () => {
    const cluster = await startCluster({ workers: 4, limit: 1000, file: temporaryFile() })
    const { statuses, admitted } = await storm(cluster.port, cluster.key, 1500, 4 * 64)
    expect(statuses).toEqual({ 200: 1000, 429: 500 })
    expect(admitted).toHaveLength(4)
    expect(await cluster.warnings()).toEqual([[], [], [], [], []])
  }, 60_000)

  it('L-06 in memory admits the limit in each process, as documented, and every worker is warned once', async () => {
    const cluster = await startCluster({ workers: 4, limit: 20 })
    const { statuses, admitted } = await storm(cluster.port, cluster.key, 400, 64)
    expect(admitted).toHaveLength(4)
    expect(Math.max(...admitted)).toBeLessThanOrEqual(20)
    expect(statuses['200']).toBeLessThanOrEqual(4 * 20)
    expect(statuses['429']).toBe(400 - (statuses['200'] ?? 0))
    const [primary, ...workers] = await cluster.warnings()
    expect(primary).toEqual([])
    expect(workers).toEqual(Array(4).fill(['KEYWARD_MEMORY_STORE']))
  }, 60_000)
})

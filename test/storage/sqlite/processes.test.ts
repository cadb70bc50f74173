import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { ListPage, Taken } from '../../../src/model/store.ts'
import { sqliteStore } from '../../../src/storage/sqlite.ts'
import { compiled } from '../../support/compiled.ts'
import { storedKey } from '../stored-key.ts'
import type { Job } from './worker.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyward-'))
const worker = new URL('worker.ts', import.meta.url)
afterAll(() => rmSync(folder, { recursive: true }))

describe.each([2, 4])('%i processes on one file', (processes) => {
  const newFile = (name: string) => join(folder, `${name}-${processes}.db`)

  it('open a new file at once, and each finds it ready', async () => {
    const file = newFile('open')
    expect(await sum(file, processes, (at) => ({ do: 'open', id: `process-${at}` }))).toBe(processes)
    const store = sqliteStore(file)
    expect((store.list({ prefixes: ['agk_'], limit: 50 }) as ListPage).items).toHaveLength(processes)
    store.close?.()
  })

  it('admit exactly the limit together', async () => {
    const file = newFile('take')
    const store = sqliteStore(file)
    const key = storedKey()
    store.insert(key)
    const limits = [90, 333]
    expect(await sum(file, processes, () => ({ do: 'take', id: key.id, times: 100, limits }))).toBe(90)
    const windows = [{ name: 'w1', limit: 333, ms: 3_600_000 }]
    const left = store.take?.(key.id, 7, { windows, cost: 0 }, Date.now()) as Taken
    expect(left).toMatchObject({ readings: [{ remaining: 333 - 90 }] })
    store.close?.()
  })

  it('let one of them win each name', async () => {
    const names = Array.from({ length: 40 }, (_, at) => `name ${at}`)
    const file = newFile('name')
    expect(await sum(file, processes, (at) => ({ do: 'name', id: `process-${at}`, names }))).toBe(names.length)
  })
})

/** Runs a job in each of several processes, all at once; the sum of what they answer. */
async function sum(file: string, processes: number, jobOf: (at: number) => Job): Promise<number> {
  const started = await Promise.all(Array.from({ length: processes }, (_, at) => start(file, jobOf(at))))
  const counts = await Promise.all(started.map((go) => go()))
  return counts.reduce((total, count) => total + count, 0)
}

/** Resolves with the starting gun of a process that is ready. */
async function start(file: string, job: Job): Promise<() => Promise<number>> {
  const child = fork(await compiled(worker), [file, JSON.stringify(job)], { execArgv: [] })
  const died = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the process ended with ${code}`)))
  })
  died.catch(() => {})
  const said = () => Promise.race([died, new Promise<unknown>((resolve) => child.once('message', resolve))])
  const go = async () => {
    const count = said()
    child.send('go')
    return Number(await count)
  }
  await said()
  return go
}

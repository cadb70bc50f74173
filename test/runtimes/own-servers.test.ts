import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { bundle } from '../../runtimes/bundle.ts'
import type { Outcome } from '../../runtimes/outcome.ts'

const modules = 'runtimes/node_modules'
const RUNTIMES: readonly (readonly [string, string, ...string[]])[] = [
  ['Node 22', `${modules}/node22/bin/node`],
  ['Node 24', `${modules}/node24/bin/node`],
  ['Node 26', `${modules}/node26/bin/node`],
  ['Bun', `${modules}/bun/bin/bun`],
  ['Deno', `${modules}/deno/deno`, 'run', '--allow-all'],
]

/** What the program prints. */
interface Answers {
  readonly text: string
  readonly socket: string
  readonly guards: Outcome
  readonly stores: Outcome
}

let program: string

beforeAll(async () => {
  execFileSync('npm', ['run', 'runtimes:deps'], { stdio: 'ignore' })
  program = await bundle('own-server')
}, 300_000)

// Side by side, because each waits most of the time for windows to end.
describe.concurrent.each(RUNTIMES)("%s's own server", (_name, runtime, ...args) => {
  it('keeps every promise of a guard, over sockets, and memoryStore() every one of a store', async () => {
    const { stdout } = await promisify(execFile)(runtime, [...args, program])
    const { text, socket, guards, stores } = JSON.parse(stdout) as Answers
    expect(text.toLowerCase().replace(' ', '')).toMatch(/^text\/plain;charset=utf-8,5$/)
    expect(socket).toBe('hello')
    expect([...guards.failed, ...stores.failed]).toEqual([])
    expect(guards.passed).toBeGreaterThan(60)
    expect(stores.passed).toBeGreaterThan(60)
  }, 60_000)
})

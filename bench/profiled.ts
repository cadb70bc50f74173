import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { KEYWARD } from './keyward.ts'
import type { Profile } from './profile-report.ts'

// A process of its own: where one variant of Keyward spends its time, by function. Compiled names are those of the sources.
const [name = ''] = process.argv.slice(2)

const CALLS = 50_000
const ROUNDS = 20
/** Rounds before the first that counts. */
const WARM_UP = 6
/** What the profiler itself does, and nothing at all. */
const ASIDE = ['dispatch', '(idle)']
/** Microseconds between two looks. */
const INTERVAL = 100

const variant = await KEYWARD[name]?.(name)
if (variant === undefined) throw new Error(`nobody knows ${name}`)
await variant.check()

const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.setSamplingInterval', { interval: INTERVAL })

const spent = new Map<string, number>()
for (let round = -WARM_UP; round < ROUNDS; round++) {
  const texts = variant.texts(CALLS)
  await session.post('Profiler.start')
  for (const text of texts) variant.call(text)
  const { profile } = await session.post('Profiler.stop')
  if (round >= 0) count(profile)
}

const total = [...spent.values()].reduce((sum, time) => sum + time, 0)
const shares = [...spent].map(([of, time]): Profile['shares'][number] => ({ of, share: time / total }))
const found: Profile = { name, shares: shares.sort((a, b) => b.share - a.share) }
process.send?.(found)
process.disconnect?.()

/** Adds the time of each function itself, without that of what it called. */
function count({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): void {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  for (const [at, id] of samples.entries()) {
    const of = names.get(id) ?? ''
    if (ASIDE.includes(of)) continue
    spent.set(of, (spent.get(of) ?? 0) + (timeDeltas[at] ?? 0))
  }
}

function nameOf({ functionName, url }: { readonly functionName: string; readonly url: string }): string {
  if (functionName === '') return '(a closure)'
  return url.startsWith('node:') ? `${functionName} of ${url}` : functionName.replace(/\d+$/, '')
}

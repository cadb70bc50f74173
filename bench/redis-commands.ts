import assert from 'node:assert/strict'
import { setTimeout as passed } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Errand } from './flight.ts'

/** How many commands one call of an errand takes. */
export interface Commands {
  readonly name: string
  /** As clients send them: a script is one. */
  readonly sent: number
  /** As the server counts them (`INFO commandstats`): those that scripts run are among them. */
  readonly run: Readonly<Record<string, number>>
}

/** Keyward and its peers send nothing but scripts. */
const SCRIPTS = ['evalsha', 'eval', 'fcall']
const CALLS = 20_000
const IN_FLIGHT = 256

/** By then the use marks of errands before are written, ms. */
const SETTLED = 2_000

export async function countCommands(client: Redis, errand: Errand): Promise<Commands> {
  await passed(SETTLED)
  const before = await statistics(client)
  let begun = 0
  const lane = async () => {
    while (begun < CALLS) assert(errand.isRight(await errand.call(begun++)))
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  // The looks at the statistics themselves do not count.
  const run = [...(await statistics(client))]
    .filter(([command]) => command !== 'info')
    .map(([command, calls]) => [command, (calls - (before.get(command) ?? 0)) / CALLS] as const)
    .filter(([, calls]) => calls > 0)
  const sent = run.filter(([command]) => SCRIPTS.includes(command)).reduce((sum, [, calls]) => sum + calls, 0)
  return { name: errand.name, sent, run: Object.fromEntries(run) }
}

async function statistics(client: Redis): Promise<ReadonlyMap<string, number>> {
  const text = await client.info('commandstats')
  return new Map(
    [...text.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)].map(([, name = '', calls]) => [name, Number(calls)]),
  )
}

export function commandsText(all: readonly Commands[]): string {
  const rows = all.map(({ name, sent, run }) => {
    const ran = Object.entries(run).map(([command, calls]) => `${command} ${calls.toFixed(4)}`)
    return `| ${name} | ${sent.toFixed(4)} | ${ran.join(', ')} |`
  })
  return [
    '| for one call, 256 in flight | scripts sent | commands that the server ran |',
    '|---|--:|---|',
    ...rows,
  ].join('\n')
}

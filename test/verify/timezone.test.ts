import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { compiled } from '../support/compiled.ts'

const run = promisify(execFile)
const child = new URL('../support/timezone-child.ts', import.meta.url)

/** What the course of events gives in a process of this time zone; without one, the machine's own. */
async function under(zone: string | undefined): Promise<{ offset: number; courses: unknown }> {
  const { TZ: _, ...env } = process.env
  const { stdout } = await run(process.execPath, [await compiled(child)], {
    env: zone === undefined ? env : { ...env, TZ: zone },
  })
  return JSON.parse(stdout)
}

describe('E. Time zones', () => {
  it('E-13 expiry and limits are the same in every time zone, also while its clocks are moved', async () => {
    const utc = await under('UTC')
    expect(JSON.stringify(utc.courses)).toContain('expired')
    const zones = [
      ['Asia/Kathmandu', -345],
      ['America/New_York', 240],
      ['Europe/London', -60],
    ] as const
    for (const [zone, offset] of zones) expect(await under(zone)).toEqual({ offset, courses: utc.courses })
    expect((await under(undefined)).courses).toEqual(utc.courses)
  }, 60_000)
})

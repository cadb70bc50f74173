import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

it('guardChecks come to their end in a plain script, though what they wait for keeps no process alive', async () => {
  const script = ['--import', 'tsx', 'test/testing/guard-checks-script.ts']
  const { stdout } = await promisify(execFile)(process.execPath, script)
  expect(stdout.trim()).toBe('true')
})

import { createApiKeys, memoryStore } from 'keyward'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

describe('memoryStore()', () => {
  beforeEach(() => void vi.resetModules())
  afterEach(() => void vi.unstubAllEnvs())

  /** Warnings are said once per process: each case is given a fresh copy of the sources. */
  async function warningsOf(variable: string, value: string): Promise<readonly unknown[]> {
    vi.stubEnv(variable, value)
    const said: unknown[] = []
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation((...args: unknown[]) => void said.push(args))
    const fresh = await import('keyward')
    for (let i = 0; i < 3; i++) fresh.createApiKeys({ prefix: 'ap_', store: fresh.memoryStore() })
    emit.mockRestore()
    return said
  }

  it.each([
    ['in production', 'NODE_ENV', 'production'],
    ['L-06 in a worker of a cluster', 'NODE_UNIQUE_ID', '1'],
  ])('warns once %s', async (_where, variable, value) => {
    expect(await warningsOf(variable, value)).toEqual([
      [expect.stringContaining('memoryStore()'), { type: 'KeywardWarning', code: 'KEYWARD_MEMORY_STORE' }],
    ])
  })

  it('says nothing elsewhere', async () => {
    expect(await warningsOf('NODE_ENV', 'development')).toEqual([])
    expect(createApiKeys({ prefix: 'ap_', store: memoryStore() })).toBeDefined()
  })
})

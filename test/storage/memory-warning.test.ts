import { createApiKeys, memoryStore } from 'keyward'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

describe('memoryStore()', () => {
  beforeEach(() => void vi.resetModules())
  afterEach(() => void vi.unstubAllEnvs())

  /** Warnings are said once per process: each case is given a fresh copy of the sources. */
  async function warningsOf(environment: string): Promise<readonly unknown[]> {
    vi.stubEnv('NODE_ENV', environment)
    const said: unknown[] = []
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation((...args: unknown[]) => void said.push(args))
    const fresh = await import('keyward')
    for (let i = 0; i < 3; i++) fresh.createApiKeys({ prefix: 'ap_', store: fresh.memoryStore() })
    emit.mockRestore()
    return said
  }

  // In a cluster: test/attacks/cluster.test.ts.
  it('warns once in production', async () => {
    expect(await warningsOf('production')).toEqual([
      [expect.stringContaining('memoryStore()'), { type: 'KeywardWarning', code: 'KEYWARD_MEMORY_STORE' }],
    ])
  })

  it('is there also where the environment may not be read, as on Deno without its permission', () => {
    const env = vi.spyOn(process, 'env', 'get').mockImplementation(() => {
      throw new Error('NotCapable')
    })
    try {
      expect(memoryStore().find('unknown')).toBeUndefined()
    } finally {
      env.mockRestore()
    }
  })

  it('says nothing elsewhere', async () => {
    expect(await warningsOf('development')).toEqual([])
    expect(createApiKeys({ prefix: 'ap_', store: memoryStore() })).toBeDefined()
  })
})

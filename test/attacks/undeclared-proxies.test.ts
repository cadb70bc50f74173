import type { ApiKeysOptions, CreateInput, Credential } from 'keyward'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { carried, SOURCES } from '../support/presenting.ts'

beforeEach(() => void vi.resetModules())

interface Told {
  readonly options?: Pick<ApiKeysOptions, 'trustedProxies' | 'cache' | 'failures'>
  readonly input?: Partial<CreateInput>
  /** More header lines of the request, as Node tells them. */
  readonly lines?: readonly string[]
  /** What the runtime tells of the client, where it does. */
  readonly address?: string
}

const ALLOWED = { allowedIps: ['203.0.113.0/24'] }

describe.each(SOURCES)('I. What is said of undeclared proxies ($source)', (source) => {
  /** The codes of all warnings while two keys are made, changed and used three times each; once per process, so it is a fresh one. */
  async function warnings({ options = {}, input = {}, lines = [], address }: Told) {
    const said: unknown[] = []
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation((...args: unknown[]) => void said.push(args))
    const { createApiKeys } = await import('keyward')
    const keys = createApiKeys({ prefix: 'up_', pair: source.pair, ...options })
    const outcomes: string[] = []
    for (let n = 0; n < 2; n++) {
      const created = await keys.create({ owner: 'acct_1', ...input })
      for (let use = 0; use < 3; use++) {
        const facts = carried(source, created)
        const told: Credential =
          address === undefined
            ? { ...facts, rawHeaders: [...facts.rawHeaders, ...lines] }
            : { rawHeaders: facts.rawHeaders, address }
        const verdict = await keys.verify(told)
        outcomes.push(verdict.ok ? 'admitted' : verdict.code)
      }
    }
    emit.mockRestore()
    const texts = said.map((args) => JSON.stringify(args))
    return { codes: texts.flatMap((text) => text.match(/KEYWARD_\w+/) ?? []), texts, outcomes: [...new Set(outcomes)] }
  }

  it('I-03 the first key with an allowlist is reason enough for one warning, before a proxy ever showed', async () => {
    const { codes, texts, outcomes } = await warnings({ input: ALLOWED })
    expect(outcomes).toEqual(['admitted'])
    expect(codes).toEqual(['KEYWARD_TRUSTED_PROXIES'])
    expect(texts[0]).toContain('trustedProxies: []')
    expect(texts[0]).not.toMatch(/up_|203\.0\.113/)
  })

  it('I-03 a forwarded request is reason enough where failures are counted by network', async () => {
    const failures = { limit: 9, window: '1m' } as const
    const { codes, texts, outcomes } = await warnings({
      options: { failures },
      lines: ['X-Forwarded-For', '203.0.113.9'],
    })
    expect([outcomes, codes]).toEqual([['admitted'], ['KEYWARD_TRUSTED_PROXIES']])
    expect(texts[0]).toContain('carries a forwarding header')
  })

  it('I-03 also where no key is remembered', async () => {
    const { codes } = await warnings({ input: ALLOWED, options: { cache: false } })
    expect(codes).toEqual(['KEYWARD_TRUSTED_PROXIES'])
  })

  it('I-03 and it is one, not two, where requests are then forwarded and refused', async () => {
    const { codes, outcomes } = await warnings({ input: ALLOWED, lines: ['X-Forwarded-For', '203.0.113.9'] })
    expect(outcomes).toEqual(['ip_not_allowed'])
    expect(codes).toEqual(['KEYWARD_TRUSTED_PROXIES'])
  })

  it.each([[[]], [['10.0.0.0/8']]])('I-03 nothing is said where trustedProxies is %j', async (trustedProxies) => {
    const { codes, outcomes } = await warnings({ input: ALLOWED, options: { trustedProxies } })
    expect([codes, outcomes]).toEqual([[], ['admitted']])
  })

  it('I-03 nothing is said as long as no key has an allowlist, forwarded or not', async () => {
    for (const lines of [[], ['X-Forwarded-For', '203.0.113.9']]) {
      const { codes, outcomes } = await warnings({ lines })
      expect([codes, outcomes]).toEqual([[], ['admitted']])
    }
  })

  it('I-03 nothing is said where the runtime tells the address: no proxy is asked about then', async () => {
    const { codes, outcomes } = await warnings({ input: ALLOWED, address: '203.0.113.9' })
    expect([codes, outcomes]).toEqual([[], ['admitted']])
  })
})

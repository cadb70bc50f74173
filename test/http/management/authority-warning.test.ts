import { beforeEach, expect, it, vi } from 'vitest'

// Warnings are said once per process: each case is given a fresh copy of the sources.
beforeEach(() => void vi.resetModules())

class Session {
  get owner() {
    return 'acct_1'
  }
}

it.each([
  ['a value of type string', 'acct_1'],
  ['a value of type boolean', true],
  ['owner as a member of its class', new Session()],
  ['a wrong owner (must be text)', { id: 'acct_1' }],
  ['a wrong resource (must be text)', { owner: 'acct_1', resource: null }],
  ['a wrong actor (must be 1 to 256 characters)', { owner: 'acct_1', actor: '' }],
  ['grants that are no list of text', { owner: 'acct_1', grants: undefined }],
  ['a may that is no function', { owner: 'acct_1', may: ['list'] }],
])('KEYWARD_AUTHORIZE says what authorize gave: %s', async (flaw, answer) => {
  const { createApiKeys } = await import('keyward')
  const { management } = await import('keyward/management')
  const said: unknown[] = []
  const emit = vi.spyOn(process, 'emitWarning').mockImplementation((...args: unknown[]) => void said.push(args))
  const handle = management(createApiKeys({ prefix: 'ap_' }), { authorize: () => answer as never })
  for (let i = 0; i < 2; i++) expect((await handle(new Request('http://localhost/'))).status).toBe(401)
  emit.mockRestore()
  expect(said).toEqual([
    [expect.stringContaining(`gave ${flaw}: nobody is let in.`), { type: 'KeywardWarning', code: 'KEYWARD_AUTHORIZE' }],
  ])
})

import { type ApiKeys, createApiKeys, type KeyStore, memoryStore } from 'keyward'
import { describe, expect, it } from 'vitest'
import { failure, judged } from '../support/outcome.ts'

/** Two processes on one store, of which neither hears of the other. */
function strangers(leave: readonly (keyof KeyStore)[] = []): { here: ApiKeys; there: ApiKeys } {
  const inner = memoryStore()
  const apart = (): KeyStore => {
    const left = Object.entries(inner).filter(([verb]) => !leave.includes(verb as keyof KeyStore))
    return Object.fromEntries(left) as unknown as KeyStore
  }
  const of = () => createApiKeys({ prefix: 'agk_', store: apart() })
  return { here: of(), there: of() }
}

/** A key that `here` remembers, and that `there` has changed since. */
async function changed(change: (there: ApiKeys, id: string) => Promise<unknown>, leave?: readonly (keyof KeyStore)[]) {
  const { here, there } = strangers(leave)
  const { key, record } = await here.create({ owner: 'acct_1' })
  expect(await judged(here, key)).toBe('admitted')
  await change(there, record.id)
  return { here, key, id: record.id }
}

describe('what another process did already, asked for once more', () => {
  it.each([
    ['revoke', 'revoked'],
    ['disable', 'disabled'],
  ] as const)('%s: this process obeys when it resolves', async (verb, code) => {
    const { here, key, id } = await changed((there, id) => there[verb](id))
    expect((await here[verb](id)).status).toBe(code)
    expect(await judged(here, key)).toBe(code)
  })

  it.each([
    ['with revokeWhere', []],
    ['one by one', ['revokeWhere']],
  ] as const)('revokeAll, %s', async (_, leave) => {
    const { here, key } = await changed((there) => there.revokeAll({ owner: 'acct_1' }), leave)
    expect(await here.revokeAll({ owner: 'acct_1' })).toBe(0)
    expect(await judged(here, key)).toBe('revoked')
  })

  it.each([
    ['remove', (here: ApiKeys, id: string) => here.remove(id)],
    ['revoke', (here: ApiKeys, id: string) => here.revoke(id)],
    ['rotate', (here: ApiKeys, id: string) => here.rotate(id, { overlap: 0 })],
  ] as const)('%s of a key that is gone finds that out', async (_, verb) => {
    const { here, key, id } = await changed((there, id) => there.remove(id))
    expect(await failure(() => verb(here, id))).toMatchObject({ code: 'NOT_FOUND' })
    expect(await judged(here, key)).toBe('invalid_key')
  })

  it('a store that answers null has no such key', async () => {
    const inner = memoryStore()
    const store = { ...inner, find: (id: string) => inner.find(id) ?? null } as unknown as KeyStore
    const keys = createApiKeys({ prefix: 'agk_', store })
    expect(await keys.get('0'.repeat(12))).toBeUndefined()
    expect(await failure(() => keys.revoke('0'.repeat(12)))).toMatchObject({ code: 'NOT_FOUND' })
  })
})

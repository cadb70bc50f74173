import { createApiKeys, hmac, memoryStore, sha256 } from 'keyward'
import { describe, expect, it, vi } from 'vitest'
import { judged } from '../support/outcome.ts'
import { kept } from '../support/stores.ts'

const LIMITS = { default: { minute: 1000 } }
const PEPPERED = [hmac({ current: 'p1', peppers: { p1: 'a pepper of at least thirty-two bytes' } }), sha256()] as const

/** Two processes on one store that tells neither what the other does; each draws its own numbers. */
async function processes() {
  const store = memoryStore()
  const { watch: _, ...silent } = store
  const open = (byte: number, hasher?: typeof PEPPERED) =>
    createApiKeys({
      prefix: 're_',
      store: { ...silent },
      limits: LIMITS,
      ...(hasher && { hasher: [...hasher] }),
      random: (size) => new Uint8Array(size).fill(byte),
    })
  const { key, record } = await open(1).create({ owner: 'acct_1' })
  const before = await kept(store, record.id)
  /** As after a failover, or with a backup: what was written last is lost. */
  const restore = async () => {
    await store.remove(record.id)
    await store.insert(before)
  }
  return { store, here: (hasher?: typeof PEPPERED) => open(2, hasher), there: open(3), key, id: record.id, restore }
}

describe('a write that the server lost', () => {
  it('is not taken for the revocation that was made in its place', async () => {
    const { here: open, there, key, id, restore } = await processes()
    const here = open()
    await here.update(id, { name: 'renamed' })
    expect(await judged(here, key)).toBe('admitted')
    await restore()
    await there.revoke(id)
    expect(await judged(here, key)).toBe('revoked')
  })

  it('nor for one of every key of its owner', async () => {
    const { here: open, there, key, id, restore } = await processes()
    const here = open()
    await here.update(id, { name: 'renamed' })
    expect(await judged(here, key)).toBe('admitted')
    await restore()
    expect(await there.revokeAll({ owner: 'acct_1' })).toBe(1)
    expect(await judged(here, key)).toBe('revoked')
  })

  it('nor is a rotation taken for one', async () => {
    const { here: open, there, id, restore } = await processes()
    const here = open()
    const { key } = await here.rotate(id, { overlap: 0 })
    expect(await judged(here, key)).toBe('admitted')
    await restore()
    await there.revoke(id)
    // The secret went with the rotation.
    expect(await judged(here, key)).toBe('invalid_key')
  })

  it('nor the upgrade of a hash', async () => {
    const { store, here: open, there, key, id, restore } = await processes()
    const here = open(PEPPERED)
    await judged(here, key)
    await vi.waitFor(async () => expect((await kept(store, id)).hash).toMatch(/^hmac\$/))
    expect(await judged(here, key)).toBe('admitted')
    await restore()
    await there.revoke(id)
    expect(await judged(here, key)).toBe('revoked')
  })
})

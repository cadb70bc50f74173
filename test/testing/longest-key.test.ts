import { type CreateInput, createApiKeys } from 'keyward'
import { describe, expect, it } from 'vitest'
import { longestKey } from '../../src/testing/longest-key.ts'
import { storedKey } from '../storage/stored-key.ts'

const { owner, name, description, resource, scopes, limits, allowedIps, metadata, prefix, revokedReason, uniqueName } =
  longestKey(storedKey({ prefix: 'agk_live_' }))
const windows = Object.entries(limits ?? {}).map(([window, each]) => ({
  name: window,
  limit: each?.limit ?? 0,
  window: '1s' as const,
}))
const input = { owner, name, description, resource, scopes, limits: windows, allowedIps, metadata } as CreateInput

describe('The longest key that stores are checked with', () => {
  it('is one that can be made and revoked, with the same name', async () => {
    const keys = createApiKeys({ prefix, names: 'unique' })
    const { record } = await keys.create(input)
    expect(record).toMatchObject({ prefix, owner, name, description, resource, scopes, allowedIps, metadata })
    expect(await keys.revoke(record.id, { reason: revokedReason as string })).toMatchObject({ revokedReason })
    expect(uniqueName).toBe(JSON.stringify([prefix, owner, name]))
  })

  it.each<[string, Partial<CreateInput>]>([
    ['owner', { owner: `${owner}x` }],
    ['name', { name: `${name}x` }],
    ['description', { description: `${description}x` }],
    ['resource', { resource: `${resource}x` }],
    ['scopes', { scopes: [...scopes, 'a:b'] }],
    ['scopes', { scopes: [`${scopes[0]}x`] }],
    ['limits', { limits: [...windows, { name: 'more', limit: 1, window: '1s' }] }],
    ['limits', { limits: [{ name: `${windows[0]?.name}x`, limit: 1, window: '1s' }] }],
    ['allowedIps', { allowedIps: [...(allowedIps ?? []), '::1'] }],
    ['metadata', { metadata: { text: `${metadata?.text}x` } }],
  ])('could have no more %s', async (_field, more) => {
    const keys = createApiKeys({ prefix })
    await expect(keys.create({ ...input, ...more })).rejects.toMatchObject({ code: 'INPUT' })
  })

  it('could have no longer prefix, nor reason', async () => {
    expect(() => createApiKeys({ prefix: `${prefix}x` })).toThrow(expect.objectContaining({ code: 'CONFIG' }))
    const keys = createApiKeys({ prefix })
    await expect(keys.revoke('x', { reason: `${revokedReason}x` })).rejects.toMatchObject({ code: 'INPUT' })
  })
})

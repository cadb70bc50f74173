import { createApiKeys } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { BOTH_STORES } from '../../support/both-stores.ts'
import { failure, listener } from '../../support/outcome.ts'
import { distantStore, sabotagedStore, type Verb, wrapStore } from '../../support/stores.ts'
import { clientOf } from './client.ts'

const CHANGES = [
  ['rotate', 'POST', '/rotate', { overlap: 0 }],
  ['disable', 'POST', '/disable', {}],
  ['revoke', 'POST', '/revoke', {}],
  ['update', 'PATCH', '', { name: 'mine' }],
  ['remove', 'DELETE', '', undefined],
] as const

describe.each(BOTH_STORES)('If-Match on the %s store is part of the change', (_, open) => {
  async function start() {
    const { store } = open()
    const heard = listener()
    // No change comes later than another: the time alone tells none of them apart.
    const options = { prefix: 'ea_', clock: fakeClock() } as const
    const keys = createApiKeys({ ...options, store: distantStore(store), onEvent: heard.onEvent })
    const ask = clientOf(keys)
    const { body, headers } = await ask('POST', '/', { json: { name: 'a' } })
    heard.events.length = 0
    const { id } = body.record
    return { store, options, keys, ask, heard, id, key: body.key, match: { 'if-match': headers.get('etag') ?? '' } }
  }

  it.each(CHANGES)('X-10: of many at once that %s, one is let through', async (_, method, path, json) => {
    const { ask, heard, id, match } = await start()
    const sent = { headers: match, ...(json && { json }) }
    const told = await Promise.all(Array.from({ length: 10 }, () => ask(method, `/${id}${path}`, sent)))
    const [first, ...rest] = told.map(({ status }) => status).sort()
    expect(first).toBe(method === 'DELETE' ? 204 : 200)
    // What comes when it is removed already finds nothing.
    expect(rest.filter((status) => status !== 412 && !(method === 'DELETE' && status === 404))).toEqual([])
    expect(heard.events).toHaveLength(1)
  })

  it.each(CHANGES)(
    'X-10: %s is refused when another change comes between the look and the write',
    async (_, method, path, json) => {
      const { store, options, id, match } = await start()
      const other = createApiKeys({ ...options, store })
      let changes = 1
      const late = wrapStore(store, async (verb: Verb, ask) => {
        if ((verb === 'replace' || verb === 'remove') && changes-- > 0) await other.update(id, { name: 'theirs' })
        return ask()
      })
      const heard = listener()
      const keys = createApiKeys({ ...options, store: late, onEvent: heard.onEvent })
      const told = await clientOf(keys)(method, `/${id}${path}`, { headers: match, ...(json && { json }) })
      expect([told.status, told.body.code]).toEqual([412, 'precondition_failed'])
      expect(await other.get(id)).toMatchObject({ name: 'theirs', status: 'active' })
      expect(heard.events).toEqual([])
    },
  )

  it('X-10: tells a lost race as such, not as a state or a conflict', async () => {
    const { ask, keys, id, match } = await start()
    await keys.revoke(id)
    for (const [, method, path, json] of CHANGES) {
      const told = await ask(method, `/${id}${path}`, { headers: match, ...(json && { json }) })
      expect(told.status).toBe(412)
    }
    const { headers } = await ask('GET', `/${id}`)
    const now = { 'if-match': headers.get('etag') ?? '' }
    expect((await ask('POST', `/${id}/rotate`, { json: { overlap: 0 }, headers: now })).body.code).toBe('invalid_state')
    expect((await ask('DELETE', `/${id}`, { headers: now })).status).toBe(204)
  })

  it('X-11: a removal that was expected and broke off has ended the key, and says so', async () => {
    const { store, options, id, key, match } = await start()
    const { store: broken, break: sabotage } = sabotagedStore(store)
    const heard = listener()
    const keys = createApiKeys({ ...options, store: broken, onEvent: heard.onEvent, cache: false })
    sabotage('remove', () => {
      throw new Error('down')
    })
    const ask = clientOf(keys, { onError: () => {} })
    const told = await ask('DELETE', `/${id}`, { headers: match })
    expect([told.status, told.body.outcome]).toEqual([503, 'unknown'])
    expect(await keys.verify(key)).toMatchObject({ code: 'revoked' })
    expect(heard.of('revoked')).toMatchObject([{ id, before: { status: 'active' }, after: { status: 'revoked' } }])
    sabotage('remove', undefined)
    expect((await ask('DELETE', `/${id}`)).status).toBe(204)
  })

  it('is known to rotate, revoke, disable, enable and remove as `when`', async () => {
    const { keys, id } = await start()
    const when = ({ name }: { readonly name: string | undefined }) => name !== 'a'
    for (const verb of [
      () => keys.rotate(id, { overlap: 0, when }),
      () => keys.revoke(id, { when }),
      () => keys.disable(id, { when }),
      () => keys.enable(id, { when }),
      () => keys.remove(id, { when }),
    ]) {
      expect((await failure(verb)).code).toBe('CONFLICT')
    }
    expect(await keys.get(id)).toMatchObject({ status: 'active' })
    expect((await failure(() => keys.revokeAll({ owner: 'acct_1', when } as never))).code).toBe('INPUT')
  })
})

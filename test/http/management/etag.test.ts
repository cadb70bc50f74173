import { createApiKeys } from 'keyward'
import { describe, expect, it } from 'vitest'
import { BOTH_STORES } from '../../support/both-stores.ts'
import { failure, listener } from '../../support/outcome.ts'
import { distantStore } from '../../support/stores.ts'
import { clientOf } from './client.ts'

describe.each(BOTH_STORES)('If-Match on the %s store', (_, open) => {
  async function start() {
    const { events, onEvent } = listener()
    const keys = createApiKeys({ prefix: 'me_', store: distantStore(open().store), onEvent })
    const ask = clientOf(keys)
    const { body, headers } = await ask('POST', '/', { json: { name: 'a' } })
    events.length = 0
    return { keys, ask, events, key: body.key, at: `/${body.record.id}`, tag: headers.get('etag') ?? '' }
  }

  it('X-10: lets a change through that saw the key as it is, once', async () => {
    const { ask, at, tag } = await start()
    expect(tag).toMatch(/^"[\w-]{22}"$/)
    expect((await ask('GET', at)).headers.get('etag')).toBe(tag)
    const changed = await ask('PATCH', at, { json: { name: 'b' }, headers: { 'if-match': tag } })
    expect(changed.status).toBe(200)
    expect(changed.headers.get('etag')).not.toBe(tag)
    const stale = await ask('PATCH', at, { json: { name: 'c' }, headers: { 'if-match': tag } })
    expect([stale.status, stale.body.code]).toEqual([412, 'precondition_failed'])
    expect((await ask('GET', at)).body.record.name).toBe('b')
  })

  it('X-10: lets one of many changes at once through', async () => {
    const { ask, at, tag, events } = await start()
    const told = await Promise.all(
      Array.from({ length: 10 }, (_, i) => ask('PATCH', at, { json: { name: `n${i}` }, headers: { 'if-match': tag } })),
    )
    expect(told.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(412)])
    expect(events).toHaveLength(1)
  })

  it.each([
    ['POST', '/rotate', { overlap: 0 }],
    ['POST', '/disable', {}],
    ['POST', '/enable', {}],
    ['POST', '/revoke', {}],
    ['DELETE', '', {}],
  ])('X-10: holds for %s %s too', async (method, path, json) => {
    const { ask, at, tag, events } = await start()
    const stale = await ask(method, at + path, { json, headers: { 'if-match': '"AAAAAAAAAAAAAAAAAAAAAA"' } })
    expect([stale.status, events]).toEqual([412, []])
    expect((await ask(method, at + path, { json, headers: { 'if-match': tag } })).status).toBeLessThan(300)
  })

  it('takes a list and *, and no weak tag (RFC 9110 section 13.1.1)', async () => {
    const { ask, at, tag } = await start()
    const patch = async (match: string) =>
      (await ask('PATCH', at, { json: { name: 'a' }, headers: { 'if-match': match } })).status
    expect(await patch(`W/${tag}`)).toBe(412)
    expect(await patch('')).toBe(412)
    expect(await patch(tag.slice(1, -1))).toBe(412)
    expect(await patch('*')).toBe(200)
    const now = (await ask('GET', at)).headers.get('etag')
    expect(await patch(`"other", ${now}`)).toBe(200)
  })

  it('is not put off by uses', async () => {
    const { ask, at, tag, keys, key } = await start()
    await keys.verify(key)
    await keys.flush()
    const used = await ask('GET', at)
    expect([used.body.record.uses, used.headers.get('etag')]).toEqual([1, tag])
  })

  it('is known to update() as when', async () => {
    const { keys, at } = await start()
    const id = at.slice(1)
    const error = await failure(() => keys.update(id, { name: 'b' }, { when: ({ name }) => name !== 'a' }))
    expect(error.code).toBe('CONFLICT')
    expect(await keys.update(id, { name: 'b' }, { when: ({ name }) => name === 'a' })).toMatchObject({ name: 'b' })
    expect((await failure(() => keys.update(id, {}, { when: true as never }))).issues?.[0]?.path).toBe('when')
  })

  it.each([
    ['undefined', () => undefined],
    ['0', () => 0],
    ["'yes'", () => 'yes'],
    ['a promise', async () => false],
    ['a promise that fails', () => Promise.reject(new Error('no'))],
  ])('changes nothing where when() answers %s, which is neither true nor false', async (_, when) => {
    const { keys, at } = await start()
    const id = at.slice(1)
    const error = await failure(() => keys.update(id, { name: 'b' }, { when: when as never }))
    expect([error.code, error.issues?.[0]?.path]).toEqual(['INPUT', 'when'])
    expect(await keys.get(id)).toMatchObject({ name: 'a' })
  })
})

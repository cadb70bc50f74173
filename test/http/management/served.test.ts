import express from 'express'
import { createApiKeys } from 'keyward'
import { mount } from 'keyward/express'
import { management } from 'keyward/management'
import { describe, expect, it } from 'vitest'
import { serve } from '../../support/serve.ts'
import { MOUNTS } from './mounts.ts'

const HEADERS = { 'content-type': 'application/json' }

async function served(...before: express.RequestHandler[]) {
  const keys = createApiKeys({ prefix: 'ms_' })
  const routes = management(keys, { authorize: () => ({ owner: 'acct_1' }), path: '/settings/keys' })
  const { url } = await serve(express().use('/settings/keys', ...before, mount(routes)))
  return { url, keys: `${url}/settings/keys` }
}

describe('management() on a server', () => {
  it.each([
    ['as it is', []],
    ['behind a body parser', [express.json()]],
  ])('leads a key from its Location to its end, %s', async (_, before) => {
    const { url, keys } = await served(...before)
    const made = await fetch(keys, { method: 'POST', headers: HEADERS, body: '{"name":"Sync"}' })
    expect(made.status).toBe(201)
    const at = url + made.headers.get('location')
    const match = { ...HEADERS, 'if-match': made.headers.get('etag') ?? '' }
    const patched = await fetch(at, { method: 'PATCH', headers: match, body: '{"name":"Nightly"}' })
    expect(await patched.json()).toMatchObject({ record: { name: 'Nightly' } })
    expect((await fetch(`${at}/disable`, { method: 'POST' })).status).toBe(200)
    expect(await (await fetch(`${keys}?name=Nightly`)).json()).toMatchObject({ items: [{ status: 'disabled' }] })
    expect((await fetch(at, { method: 'DELETE' })).status).toBe(204)
    expect((await fetch(at)).status).toBe(404)
  })

  it.each(MOUNTS)(
    'M-04: answers bodies that are too large, stated or streamed, and goes on, on $name',
    async ({ name, open }) => {
      const keys = createApiKeys({ prefix: 'ms_' })
      const url = await open(management(keys, { authorize: () => ({ owner: 'acct_1' }) }))
      const large = ' '.repeat(5_000_000)
      const sent = (body: string | ReadableStream) =>
        fetch(url, { method: 'POST', headers: HEADERS, body, duplex: 'half' } as RequestInit)
      // A parser of the host's comes first, with a limit of its own.
      const stated = name.endsWith('body parser') ? [large] : [' '.repeat(65_537), large]
      for (const body of [...stated, new Blob([large]).stream()]) expect((await sent(body)).status).toBe(413)
      expect((await keys.list({ owner: 'acct_1' })).items).toEqual([])
      expect((await sent('{}')).status).toBe(201)
    },
  )
})

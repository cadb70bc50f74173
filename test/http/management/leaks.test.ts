import { Writable } from 'node:stream'
import Fastify from 'fastify'
import { createApiKeys, type KeyEvent, type KeyStore, memoryStore } from 'keyward'
import { mount } from 'keyward/fastify'
import { auditLog, management } from 'keyward/management'
import { describe, expect, it, onTestFinished } from 'vitest'
import { asking, clientOf } from './client.ts'

describe('the secret of a key', () => {
  it('M-17, G-01: is in no log of Fastify at level trace, no event, no entry and no answer but those that tell it', async () => {
    const told: string[] = []
    const stream = new Writable({
      write(chunk, _encoding, done) {
        told.push(String(chunk))
        done()
      },
    })
    const store = memoryStore()
    const audit = auditLog(store)
    onTestFinished(audit.close)
    const onEvent = (event: KeyEvent) => {
      told.push(JSON.stringify(event))
      audit.onEvent(event)
    }
    const keys = createApiKeys({ prefix: 'lk_', store, onEvent, limits: { default: { minute: 50 } } })
    const app = Fastify({ logger: { level: 'trace', stream }, forceCloseConnections: true })
    onTestFinished(() => void app.close())
    const routes = management(keys, {
      authorize: ({ headers }) => (headers.has('x-user') ? { owner: 'acct_1', actor: 'user_7' } : undefined),
      audit,
      onError: (error) => told.push(String(error)),
    })
    app.register(mount(routes), { prefix: '/keys' })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    const ask = asking((request) => {
      const target = new URL(request.url)
      return fetch(new Request(`${url}/keys${target.pathname}${target.search}`, request))
    })
    const user = { 'x-user': '1' }

    const made = (await ask('POST', '/', { headers: user, json: { name: 'LEAKME' } })).body
    const at = `/${made.record.id}`
    const next = (await ask('POST', `${at}/rotate`, { headers: user, json: { overlap: '1h' } })).body
    const texts = [made.key, next.key]
    const secrets = texts.map((text) => text.slice('lk_'.length + 12, -6))
    for (const key of texts) {
      const bearer = { authorization: `Bearer ${key}` }
      for (const [method, path, sent] of [
        ['GET', '/self', { headers: bearer }],
        ['GET', '/', { headers: bearer }],
        ['GET', `/?name=${key}`, { headers: user }],
        ['POST', '/', { headers: user, json: { [key]: key, name: key, scopes: [key] } }],
        ['PATCH', at, { headers: { ...user, 'if-match': key }, json: { name: 'x' } }],
        ['POST', '/', { headers: { ...user, 'idempotency-key': `${key} ` }, json: {} }],
        ['GET', `${at}/usage`, { headers: user }],
        ['GET', at, { headers: user }],
        ['GET', '/audit', { headers: user }],
      ] as const) {
        const { text, headers } = await ask(method, path, sent)
        // What Fastify logs of a URL is the host's own doing: a key in a query is nothing that Keyward asks for.
        if (!path.includes(key)) told.push(text, JSON.stringify([...headers]))
      }
    }
    expect((await ask('DELETE', '/self', { headers: { authorization: `Bearer ${next.key}` } })).status).toBe(204)
    told.push((await ask('GET', '/audit', { headers: user })).text)
    const all = told.filter((line) => !line.includes('/?name=')).join('\n')
    expect(all).toContain('LEAKME')
    expect(all).toContain('incoming request')
    expect(secrets.filter((secret) => all.includes(secret))).toEqual([])
  })
})

describe('a name that is taken, in a store that gives names away before records are written', () => {
  /** As Redis does: the name is claimed first, and the record follows. */
  function claiming(arrives: (write: () => unknown) => void): KeyStore {
    const inner = memoryStore()
    let claimed: string | undefined
    const conflict = () => Object.assign(new Error('the name is taken'), { code: 'CONFLICT' })
    return {
      ...inner,
      insert(key) {
        if (claimed !== undefined) throw conflict()
        claimed = key.uniqueName
        arrives(() => inner.insert(key))
        return new Promise(() => {}) // the first never hears of it
      },
    }
  }

  it('X-09: is told as what the same request has made, once that is there', async () => {
    const store = claiming((write) => setTimeout(write, 30))
    const ask = clientOf(createApiKeys({ prefix: 'lk_', store, names: 'unique', storeTimeout: '5s' }))
    const sent = { json: { name: 'Sync' }, headers: { 'idempotency-key': 'once' } }
    void ask('POST', '/', sent)
    const again = await ask('POST', '/', sent)
    expect([again.status, again.headers.get('idempotency-replayed'), again.body.record.name]).toEqual([
      200,
      'true',
      'Sync',
    ])
  })

  it('X-08: is told as taken where it is somebody else’s', async () => {
    const store = claiming(() => {})
    const ask = clientOf(createApiKeys({ prefix: 'lk_', store, names: 'unique', storeTimeout: '5s' }))
    void ask('POST', '/', { json: { name: 'Sync' }, headers: { 'idempotency-key': 'one' } })
    const other = await ask('POST', '/', { json: { name: 'Sync' }, headers: { 'idempotency-key': 'other' } })
    expect([other.status, other.body.issues[0]?.path]).toEqual([409, 'name'])
  })
})

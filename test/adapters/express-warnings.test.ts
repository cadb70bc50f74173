import express from 'express'
import { type ApiKeysOptions, createApiKeys } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serveGuarded } from '../support/guarded.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { askUnix, socketPath } from '../support/unix.ts'

/** What Keyward says to the program's author while a test runs. Warnings are once per process: this file is one. */
function listen(): Error[] {
  const heard: Error[] = []
  const hear = (warning: Error) => {
    if (warning.name === 'KeywardWarning') heard.push(warning)
  }
  process.on('warning', hear)
  onTestFinished(() => void process.off('warning', hear))
  return heard
}

/** Asks three times with an allowlisted key; what was answered, and what was said of it. */
async function askThrice(options: Pick<ApiKeysOptions, 'trustedProxies'>, lines: readonly string[]) {
  const heard = listen()
  const keys = createApiKeys({ prefix: 'ip_', ...options })
  const { key } = await keys.create({ owner: 'acct_1', allowedIps: ['127.0.0.0/8'] })
  const { port } = await serveGuarded(express, keys)
  const statuses: number[] = []
  for (let i = 0; i < 3; i++) statuses.push((await raw(port, request([`X-API-Key: ${key}`, ...lines]))).status)
  return { statuses, heard: heard.map(({ message, ...rest }) => ({ ...rest, message })), key }
}

describe('I. One warning names the fix', () => {
  it('says nothing where it is stated that there is no proxy', async () => {
    const { statuses, heard } = await askThrice({ trustedProxies: [] }, [])
    expect(statuses).toEqual([200, 200, 200])
    expect(heard).toEqual([])
  })

  it('I-03 tells once to state trustedProxies: when the first key with an allowlist is met, before anybody is refused', async () => {
    const direct = await askThrice({}, [])
    expect(direct.statuses).toEqual([200, 200, 200])
    expect(direct.heard).toEqual([
      {
        name: 'KeywardWarning',
        code: 'KEYWARD_TRUSTED_PROXIES',
        message: expect.stringContaining('trustedProxies: []'),
      },
    ])
    expect(JSON.stringify(direct.heard)).not.toContain(direct.key.slice(-20))

    const forwarded = await askThrice({}, ['X-Forwarded-For: 127.0.0.1'])
    expect(forwarded.statuses).toEqual([403, 403, 403])
    expect(forwarded.heard).toEqual([])
  })

  it('tells once when a trusted proxy names no client', async () => {
    const { statuses, heard } = await askThrice({ trustedProxies: ['127.0.0.1'] }, [])
    expect(statuses).toEqual([403, 403, 403])
    expect(heard).toEqual([
      { name: 'KeywardWarning', code: 'KEYWARD_FORWARDED_FOR', message: expect.stringContaining('X-Forwarded-For') },
    ])
  })

  it('I-19 tells once when a trusted proxy names what is no address, such as one with a port', async () => {
    const proxies = { trustedProxies: ['127.0.0.1'] }
    const { statuses, heard } = await askThrice(proxies, ['X-Forwarded-For: 127.0.0.1:4711'])
    expect(statuses).toEqual([403, 403, 403])
    expect(heard).toEqual([
      { name: 'KeywardWarning', code: 'KEYWARD_FORWARDED_HOP', message: expect.stringContaining('bare address') },
    ])
    expect((await askThrice(proxies, ['X-Forwarded-For: fe80::1%eth0'])).statuses).toEqual([403, 403, 403])
  })

  it('I-19 tells once when a key with an allowlist comes over a unix socket, and of no other', async () => {
    const heard = listen()
    const events: unknown[] = []
    const keys = createApiKeys({
      prefix: 'ip_',
      trustedProxies: [],
      failures: { limit: 9, window: '1m' },
      onEvent: (event) => events.push(event),
    })
    const path = await socketPath()
    await serve(
      express().use(guard(keys), (_req, res) => void res.end()),
      { path },
    )
    const free = await keys.create({ owner: 'acct_1' })
    const bound = await keys.create({ owner: 'acct_1', allowedIps: ['127.0.0.0/8'] })
    const ask = async (key: string) => (await askUnix(path, [`X-API-Key: ${key}`])).status
    expect([await ask(free.key), await ask('ip_wrong'), heard]).toEqual([200, 401, []])
    expect(await keys.verify(bound.key)).toMatchObject({ code: 'ip_not_allowed' })
    expect([await ask(free.key), heard]).toEqual([200, []])
    expect([await ask(bound.key), await ask(bound.key)]).toEqual([403, 403])
    expect(heard).toMatchObject([{ code: 'KEYWARD_CLIENT_ADDRESS', message: expect.stringContaining('unix socket') }])
    expect(events).toHaveLength(8)
  })
})

describe('N-16 A lenient parser', () => {
  it('is told of once, and what the server may have done instead; a strict one is no reason to speak', async () => {
    const heard = listen()
    const app = express().use(guard(createApiKeys({ prefix: 'ip_' })))
    const ask = async (insecureHTTPParser: boolean) =>
      (await raw((await serve(app, { insecureHTTPParser })).port, request([]))).status
    expect(await ask(false)).toBe(401)
    expect(heard).toEqual([])
    expect([await ask(true), await ask(true)]).toEqual([401, 401])
    expect(heard).toMatchObject([
      { code: 'KEYWARD_INSECURE_PARSER', message: expect.stringContaining('insecureHTTPParser') },
    ])
  })
})

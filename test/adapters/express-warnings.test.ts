import express from 'express'
import { type ApiKeysOptions, createApiKeys } from 'keyward'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serveGuarded } from '../support/guarded.ts'
import { raw, request } from '../support/raw.ts'

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
})

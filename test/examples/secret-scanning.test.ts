import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { createApiKeys } from 'keyward'
import { describe, expect, it, onTestFinished } from 'vitest'
import { githubKeys, type PublicKeys, secretScanning } from '../../examples/secret-scanning.ts'
import { judged } from '../support/outcome.ts'
import { sabotagedStore } from '../support/stores.ts'

/** The sample of GitHub's documentation: https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partner-program */
const SAMPLE = {
  identifier: '90a421169f0a406205f1563a953312f0be898d3c7b6c06b681aa86a874555f4a',
  signature: 'MEUCIQDKZokqnCjrRtw0tni+2Ltvl/uiMJ1EGumEsp1BsNr32AIgQY1YXD2nlj+XNfGK4rBfkMJ1JDOQcYXxa2sY8FNkrKc=',
  key: `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9MJJHnMfn2+H4xL4YaPDA4RpJqUq
kCmRCBnYERxZanmcpzQSXs1X/AljlKkbJ8qpVIW4clayyef9gWhFbNHWAA==
-----END PUBLIC KEY-----
`,
  body: '[{"token":"some_token","type":"some_type","url":"some_url"}]',
}

const hashOf = (token: string) => createHash('sha256').update(token).digest('hex')
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const ours: PublicKeys = async (identifier) => (identifier === 'key-1' ? PEM : undefined)

function open(options: Partial<Parameters<typeof createApiKeys>[0]> = {}, publicKeys: PublicKeys = ours) {
  const keys = createApiKeys({ prefix: 'acme_live_', ...options })
  onTestFinished(() => keys.close())
  return { keys, serve: secretScanning(keys, publicKeys) }
}

/** A message as GitHub sends it. */
function message(body: string, headers: Readonly<Record<string, string>> = {}): Request {
  const signature = sign('sha256', Buffer.from(body), privateKey).toString('base64')
  return new Request('http://localhost/leaks', {
    method: 'POST',
    body,
    headers: { 'GitHub-Public-Key-Identifier': 'key-1', 'GitHub-Public-Key-Signature': signature, ...headers },
  })
}

const found = (...tokens: readonly string[]) =>
  JSON.stringify(tokens.map((token) => ({ token, type: 'acme_key', url: 'https://github.com/a/b/blob/1/env' })))

describe('examples/secret-scanning.ts', () => {
  it('M-19: revokes what was leaked, and names each key by its SHA-256, never by its text', async () => {
    const { keys, serve } = open()
    const live = await keys.create({ owner: 'acct_1' })
    const bound = await keys.create({ owner: 'acct_1', resource: 'agent:42', allowedIps: ['10.0.0.0/8'] })
    const disabled = await keys.create({ owner: 'acct_1' })
    await keys.disable(disabled.record.id)
    const other = await keys.create({ owner: 'acct_1' })
    const tokens = [live.key, bound.key, disabled.key, `${live.key.slice(0, -1)}!`, 'ghp_foreign']
    const answer = await serve(message(found(...tokens)))
    const text = await answer.text()
    expect([answer.status, JSON.parse(text)]).toEqual([
      200,
      tokens.map((token, i) => ({
        token_hash: hashOf(token),
        token_type: 'acme_key',
        label: i < 3 ? 'true_positive' : 'false_positive',
      })),
    ])
    for (const token of tokens) expect(text).not.toContain(token)
    for (const { record } of [live, bound, disabled]) {
      const { status, revokedReason } = (await keys.get(record.id)) ?? {}
      expect([status, revokedReason]).toEqual(['revoked', 'Found by GitHub in https://github.com/a/b/blob/1/env'])
    }
    expect(await judged(keys, other.key)).toBe('admitted')
  })

  it('M-19: takes nothing from the limits and the balance of a key', async () => {
    const { keys, serve } = open({ limits: { default: { minute: 1 } } })
    const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 1 } })
    await keys.verify(key)
    expect(await (await serve(message(found(key)))).json()).toMatchObject([{ label: 'true_positive' }])
    expect((await keys.get(record.id))?.status).toBe('revoked')
  })

  it('M-19: verifies the signature as GitHub documents it: the sample of its documentation passes', async () => {
    const { identifier, signature, key, body } = SAMPLE
    const publicKeys = githubKeys(async () => Response.json({ public_keys: [{ key_identifier: identifier, key }] }))
    const { serve } = open({}, publicKeys)
    const headers = { 'GitHub-Public-Key-Identifier': identifier, 'GitHub-Public-Key-Signature': signature }
    expect((await serve(message(body, headers))).status).toBe(200)
    expect((await serve(message(`${body} `, headers))).status).toBe(401)
  })

  it.each([
    ['another body', (body: string) => message(body.replace('acme_key', 'acme_kez'), signatureOf(body))],
    ['no signature', (body: string) => message(body, { 'GitHub-Public-Key-Signature': '' })],
    ['a signature that is none', (body: string) => message(body, { 'GitHub-Public-Key-Signature': '!' })],
    ['an unknown key', (body: string) => message(body, { 'GitHub-Public-Key-Identifier': 'key-2' })],
    ['no key', (body: string) => message(body, { 'GitHub-Public-Key-Identifier': '' })],
  ])('M-19: refuses a message with %s, and revokes nothing', async (_, send) => {
    const { keys, serve } = open()
    const { key } = await keys.create({ owner: 'acct_1' })
    const answer = await serve(send(found(key)))
    expect([answer.status, await answer.text()]).toEqual([401, ''])
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('M-19: refuses a signature by a key of another curve', async () => {
    const { privateKey: other, publicKey: otherPublic } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
    const { serve } = open({}, async () => otherPublic.export({ type: 'spki', format: 'pem' }).toString())
    const signature = sign('sha256', Buffer.from('[]'), other).toString('base64')
    expect((await serve(message('[]', { 'GitHub-Public-Key-Signature': signature }))).status).toBe(401)
  })

  it('M-19: asks GitHub to send it again where the store is down: a leak is not lost', async () => {
    const { store, break: sabotage } = sabotagedStore()
    const { keys, serve } = open({ store })
    const { key } = await keys.create({ owner: 'acct_1' })
    sabotage('find', () => Promise.reject(new Error('down')))
    await expect(serve(message(found(key)))).rejects.toThrow('GitHub shall send it again')
    expect((await serve(message('{}'))).status).toBe(400)
    expect((await serve(message('[{"token":1}]'))).status).toBe(400)
  })

  it('asks for the keys of GitHub once, and again at most once a minute', async () => {
    let asked = 0
    const publicKeys = githubKeys(async () => {
      asked++
      return Response.json({ public_keys: [{ key_identifier: 'key-1', key: PEM }] })
    })
    expect([await publicKeys('key-1'), await publicKeys('key-1'), await publicKeys('made-up')]).toEqual([
      PEM,
      PEM,
      undefined,
    ])
    expect(asked).toBe(1)
  })
})

function signatureOf(body: string): Readonly<Record<string, string>> {
  return { 'GitHub-Public-Key-Signature': sign('sha256', Buffer.from(body), privateKey).toString('base64') }
}

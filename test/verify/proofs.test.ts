import { Agent, request as ask, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { createApiKeys, type Hasher, type Source, sha256 } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'

/** An instance that counts what it hashes to verify, and a key of it. */
async function counting(options: { cache?: false | { maxKeys: number } } = {}) {
  let hashed = 0
  const inner = sha256()
  const hasher: Hasher = {
    ...inner,
    check(text, kept) {
      hashed++
      return inner.check(text, kept)
    },
  }
  const keys = createApiKeys({ prefix: 'pr_', hasher, trustedProxies: [], ...options })
  const { key, record } = await keys.create({ owner: 'acct_1' })
  return { keys, key, id: record.id, hashed: () => hashed }
}

type Counting = Awaited<ReturnType<typeof counting>>

/** A connection, on which texts can be sent; answers whether they were admitted, or why not. */
function connect({ keys }: Counting, connection: object = {}) {
  return async (key: string) => {
    const verdict = await keys.verify({ rawHeaders: ['Authorization', `Bearer ${key}`], connection })
    return verdict.ok ? verdict.access?.id : verdict.code
  }
}

describe('a connection that proved a key', () => {
  it.each([
    ['remembered', {}],
    ['read anew each time', { cache: false }],
  ] as const)('is not hashed again, with keys %s', async (_, options) => {
    const it = await counting(options)
    const send = connect(it)
    for (let n = 0; n < 5; n++) expect(await send(it.key)).toBe(it.id)
    expect(it.hashed()).toBe(1)
  })

  it('shares nothing with another connection', async () => {
    const it = await counting()
    await connect(it)(it.key)
    await connect(it)(it.key)
    expect(it.hashed()).toBe(2)
  })

  it('admits no other text, whichever character of it differs', async () => {
    const it = await counting()
    const send = connect(it)
    await send(it.key)
    for (let at = 3; at < it.key.length; at++) {
      const other = it.key.slice(0, at) + (it.key[at] === 'a' ? 'b' : 'a') + it.key.slice(at + 1)
      expect(await send(other)).toBe('invalid_key')
    }
    expect(await send(`${it.key}a`)).toBe('invalid_key')
    expect(await send(it.key)).toBe(it.id)
  })

  it('of a pair admits no other secret than the one that it proved', async () => {
    const keys = createApiKeys({ prefix: 'pr_', pair: true, trustedProxies: [] })
    const [one, other] = [await keys.create({ owner: 'acct_1' }), await keys.create({ owner: 'acct_1' })]
    const connection = {}
    const send = async (secret: string | undefined) => {
      const second = secret === undefined ? [] : ['X-API-Secret', secret]
      const verdict = await keys.verify({ rawHeaders: ['X-API-Key', one.key, ...second], connection })
      return verdict.ok ? verdict.access?.id : verdict.code
    }
    for (let n = 0; n < 2; n++) expect(await send(one.secret)).toBe(one.record.id)
    expect(await send(other.secret)).toBe('invalid_key')
    expect(await send(undefined)).toBe('incomplete_credentials')
    expect(await send(one.secret)).toBe(one.record.id)
  })

  it.each([
    ['revoked', 'revoked', (keys: Counting['keys'], id: string) => keys.revoke(id, { owner: 'acct_1' })],
    ['revoked with others', 'revoked', (keys: Counting['keys']) => keys.revokeAll({ owner: 'acct_1' })],
    ['disabled', 'disabled', (keys: Counting['keys'], id: string) => keys.disable(id, { owner: 'acct_1' })],
    ['removed', 'invalid_key', (keys: Counting['keys'], id: string) => keys.remove(id, { owner: 'acct_1' })],
    [
      'rotated',
      'invalid_key',
      (keys: Counting['keys'], id: string) => keys.rotate(id, { overlap: 0, owner: 'acct_1' }),
    ],
  ] as const)('is refused at once when the key is %s', async (_, code, change) => {
    const it = await counting()
    const send = connect(it)
    await send(it.key)
    await change(it.keys, it.id)
    expect(await send(it.key)).toBe(code)
  })

  it.each([
    ['revoke', (keys: Counting['keys'], id: string) => keys.revoke(id, { owner: 'acct_1' })],
    ['revokeAll', (keys: Counting['keys']) => keys.revokeAll({ owner: 'acct_1' })],
  ] as const)('is refused at once after %s, also where its key had made room for another', async (_, change) => {
    const it = await counting({ cache: { maxKeys: 1 } })
    const other = await it.keys.create({ owner: 'acct_2' })
    const send = connect(it)
    expect(await send(it.key)).toBe(it.id)
    expect(await connect(it)(other.key)).toBe(other.record.id)
    await change(it.keys, it.id)
    expect(await send(it.key)).toBe('revoked')
  })

  it('is hashed once more after any change of the key', async () => {
    const it = await counting()
    const send = connect(it)
    await send(it.key)
    await it.keys.update(it.id, { name: 'another' }, { owner: 'acct_1' })
    expect([await send(it.key), await send(it.key)]).toEqual([it.id, it.id])
    expect(it.hashed()).toBe(2)
  })

  it('goes on with the old secret of a rotation for as long as it may, and is hashed each time', async () => {
    const it = await counting()
    const send = connect(it)
    await send(it.key)
    const rotated = await it.keys.rotate(it.id, { owner: 'acct_1', overlap: '1h' })
    expect([await send(it.key), await send(it.key), await send(rotated.key)]).toEqual([it.id, it.id, it.id])
    expect(it.hashed()).toBe(4)
  })

  it('that carries the keys of several, as a proxy does, tells them apart and remembers none', async () => {
    const it = await counting()
    const other = await it.keys.create({ owner: 'acct_2' })
    const send = connect(it)
    for (let n = 0; n < 3; n++) expect([await send(it.key), await send(other.key)]).toEqual([it.id, other.record.id])
    expect(it.hashed()).toBe(6)
  })

  it('is not hashed again where it carries the key in another header', async () => {
    const it = await counting()
    const connection = {}
    const send = async (...rawHeaders: string[]) => (await it.keys.verify({ rawHeaders, connection })).ok
    for (const lines of [
      ['Authorization', `Bearer ${it.key}`],
      ['X-API-Key', it.key],
      ['authorization', ` BEARER  ${it.key} `],
      ['X-API-Key', it.key, 'Authorization', `Bearer ${it.key}`],
    ]) {
      expect(await send(...lines)).toBe(true)
    }
    expect(it.hashed()).toBe(1)
    expect(await send('X-API-Key', `Bearer ${it.key}`)).toBe(false)
    expect(await send('Authorization', `Bearer ${it.key}`, 'X-API-Key', `${it.key}x`)).toBe(false)
    expect(await send('Authorization', `Bearer ${it.key}`, 'Authorization', `Bearer ${it.key}`)).toBe(false)
  })

  it('is asked anew what a source of the host reads in it', async () => {
    let reads = 0
    let isOpen = true
    const source: Source = {
      headers: ['x-ticket'],
      read([ticket]) {
        reads++
        return isOpen ? ticket : undefined
      },
    }
    const keys = createApiKeys({ prefix: 'pr_', sources: [source], trustedProxies: [] })
    const { key } = await keys.create({ owner: 'acct_1' })
    const connection = {}
    const send = async () => (await keys.verify({ rawHeaders: ['X-Ticket', key], connection })).ok
    expect([await send(), await send()]).toEqual([true, true])
    isOpen = false
    expect(await send()).toBe(false)
    expect(reads).toBe(3)
  })

  it('is one for guards of one instance and of several', async () => {
    const one = await counting()
    const other = createApiKeys({ prefix: 'ot_', trustedProxies: [] })
    const theirs = await other.create({ owner: 'acct_2' })
    const guards = [guard(one.keys), guard([other, one.keys]), guard([one.keys, other]), guard(other)]
    const socket = { remoteAddress: '127.0.0.1' }
    const through = (at: number, key: string): unknown => {
      const req = { rawHeaders: ['Authorization', `Bearer ${key}`], socket, httpVersionMajor: 1, apiKey: { id: '' } }
      const res = { headersSent: false, destroyed: false, getHeader() {}, setHeader() {}, end() {} }
      let passed = false
      guards[at]?.(req as never, res as never, () => {
        passed = true
      })
      return passed && req.apiKey.id
    }
    for (const at of [0, 1, 2, 1, 0]) expect(through(at, one.key)).toBe(one.id)
    expect(one.hashed()).toBe(1)
    expect(through(3, one.key)).toBe(false)
    for (const at of [1, 2, 3]) expect(through(at, theirs.key)).toBe(theirs.record.id)
    expect(through(0, theirs.key)).toBe(false)
    for (const at of [2, 1, 0]) expect(through(at, one.key)).toBe(one.id)
    expect(one.hashed()).toBe(1)
  })

  it('shows no key where the connection is logged', async () => {
    const it = await counting()
    const connection = {}
    await connect(it, connection)(it.key)
    expect(inspect(connection, { depth: 9, showHidden: true })).not.toContain(it.key.slice(-20))
    expect(JSON.stringify(connection)).toBe('{}')
  })

  it('is a connection also where it takes no member', async () => {
    const it = await counting()
    const send = connect(it, Object.freeze({}))
    expect([await send(it.key), await send(it.key)]).toEqual([it.id, it.id])
    expect(it.hashed()).toBe(1)
  })

  it('is that of the socket behind a guard', async () => {
    const it = await counting()
    const server = createServer((req, res) => guard(it.keys)(req, res, () => res.end('through')))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const get = (agent: Agent | undefined) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = { authorization: `Bearer ${it.key}` }
        ask({ port, host: '127.0.0.1', agent: agent ?? false, headers }, (res) => {
          res.resume().once('end', () => resolve(res.statusCode))
        })
          .once('error', reject)
          .end()
      })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    try {
      for (let n = 0; n < 3; n++) expect(await get(agent)).toBe(200)
      expect(it.hashed()).toBe(1)
      expect([await get(undefined), await get(undefined)]).toEqual([200, 200])
      expect(it.hashed()).toBe(3)
    } finally {
      agent.destroy()
      server.close()
    }
  })
})

import { Agent, request } from 'node:http'
import { type ClientHttp2Session, connect } from 'node:http2'
import { type ApiKeys, createApiKeys, memoryStore } from 'keyward'
import { type FakeClock, fakeClock } from 'keyward/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, FRAMEWORKS, type Framework } from '../support/frameworks.ts'
import type { RawAnswer } from '../support/raw.ts'

/** One major of Nest does: its adapter is one. */
const SERVERS = FRAMEWORKS.filter(({ name }) => !name.includes('Nest 11'))

/** One connection, over which every request goes; answers the status of each. */
type Send = (key: string) => Promise<number>

function overOneSocket(port: number): Send {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  let isFirst = true
  return (key) =>
    new Promise((resolve, reject) => {
      const asking = request(
        { port, host: '127.0.0.1', agent, headers: { authorization: `Bearer ${key}` } },
        (answer) => {
          // Else the test would prove nothing.
          if (!isFirst && !asking.reusedSocket) reject(new Error('it was another connection'))
          isFirst = false
          answer.resume().once('end', () => resolve(answer.statusCode ?? 0))
        },
      )
      asking.once('error', reject).end()
    })
}

function overOneSession(port: number): Send {
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${port}`)
  onTestFinished(() => session.destroy())
  return (key) =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ':path': '/', authorization: `Bearer ${key}` })
      stream.once('error', reject)
      stream.once('response', ({ ':status': status = 0 }) => stream.resume().once('end', () => resolve(status)))
    })
}

/** Every change after which a key that was admitted is admitted no more. */
const CHANGES: readonly (readonly [string, (keys: ApiKeys, id: string) => Promise<unknown>])[] = [
  ['revoked', (keys, id) => keys.revoke(id)],
  ['disabled', (keys, id) => keys.disable(id)],
  ['removed', (keys, id) => keys.remove(id)],
  ['rotated', (keys, id) => keys.rotate(id, { overlap: 0 })],
  ['expired', (keys, id) => keys.update(id, { expiresAt: new Date(Date.UTC(2026, 0, 1, 0, 0, 30)) })],
]

interface Scene {
  readonly clock: FakeClock
  /** Two processes, of which the first serves. */
  readonly here: ApiKeys
  readonly there: ApiKeys
  readonly send: Send
}

async function scene({ http2, open }: Framework, cache?: false): Promise<Scene> {
  const [store, clock] = [memoryStore(), fakeClock(Date.UTC(2026, 0, 1))]
  const here = createApiKeys({ prefix: 'con_', store, clock, trustedProxies: [], cache })
  const there = createApiKeys({ prefix: 'con_', store, clock, trustedProxies: [] })
  const { port } = await open(here, undefined, () => 'reached')
  return { clock, here, there, send: http2 ? overOneSession(port) : overOneSocket(port) }
}

describe.each(SERVERS)('C-17 A connection that stays open, $name', (framework) => {
  it.each(CHANGES)('is refused at its next request when its key was %s', async (_, change) => {
    const { clock, here, send } = await scene(framework)
    const { key, record } = await here.create({ owner: 'acct_1' })
    for (let time = 0; time < 3; time++) expect(await send(key)).toBe(200)
    await change(here, record.id)
    clock.advance(30_001)
    expect(await send(key)).toBe(401)
  })

  it.each([
    ['no later than maxLag', undefined, 1_001],
    ['at once with cache: false', false, 0],
  ] as const)('obeys another process %s', async (_, cache, lag) => {
    const { clock, there, send } = await scene(framework, cache)
    const { key, record } = await there.create({ owner: 'acct_1' })
    for (let time = 0; time < 3; time++) expect(await send(key)).toBe(200)
    await there.revoke(record.id)
    clock.advance(lag)
    expect([await send(key), await send(key)]).toEqual([401, 401])
  })

  it('lends its key to nobody: another text is judged by itself', async () => {
    const { here, send } = await scene(framework)
    const [mine, theirs] = [await here.create({ owner: 'acct_1' }), await here.create({ owner: 'acct_2' })]
    expect([await send(mine.key), await send('con_nonsense'), await send(mine.key)]).toEqual([200, 401, 200])
    await here.revoke(theirs.record.id)
    expect([await send(theirs.key), await send(mine.key)]).toEqual([401, 200])
  })
})

/** Header lines to their answer. */
type Ask = (lines: readonly string[]) => Promise<RawAnswer>

const DIRECTIVES = /\b(no-store|no-cache|private)\b/

/**
 * A shared cache, as eager as nginx with `proxy_cache_valid any 1m`: it keeps whatever does not forbid it, and gives it to
 * whoever sends the same in the fields that `Vary` names (RFC 9111, 4.1).
 */
function behindCache(send: Ask): Ask & { readonly kept: () => number } {
  const kept: { readonly names: readonly string[]; readonly values: string; readonly answer: RawAnswer }[] = []
  const valuesOf = (lines: readonly string[], names: readonly string[]) =>
    JSON.stringify(names.map((name) => lines.filter((line) => line.toLowerCase().startsWith(`${name}:`))))
  const cached = async (lines: readonly string[]) => {
    const found = kept.find(({ names, values }) => valuesOf(lines, names) === values)
    if (found !== undefined) return found.answer
    const answer = await send(lines)
    const { vary = '', 'cache-control': control = '' } = answer.headers
    const names = vary
      .toLowerCase()
      .split(/\s*,\s*/)
      .filter((name) => name !== '')
    if (!names.includes('*') && !DIRECTIVES.test(control)) kept.push({ names, values: valuesOf(lines, names), answer })
    return answer
  }
  return Object.assign(cached, { kept: () => kept.length })
}

const WAYS = [
  ['X-API-Key', (key: string) => [`X-API-Key: ${key}`]],
  ['Authorization', (key: string) => [`Authorization: Bearer ${key}`]],
] as const

describe.each(SERVERS)('C-16 A shared cache before $name', (framework) => {
  it.each(WAYS)('gives what a key in %s was answered to no other key, and to nobody', async (_, lines) => {
    const keys = createApiKeys({ prefix: 'sc_', trustedProxies: [] })
    const [a, b] = [await keys.create({ owner: 'acct_a' }), await keys.create({ owner: 'acct_b' })]
    let reached = 0
    const bound = await framework.open(keys, undefined, (access) => {
      reached++
      return access?.owner
    })
    const send = behindCache((sent) => ask(framework, bound, sent))
    const bodyOf = async (key: string) => JSON.parse((await send(lines(key))).body)
    expect([await bodyOf(a.key), await bodyOf(b.key), await bodyOf(a.key)]).toEqual(['acct_a', 'acct_b', 'acct_a'])
    // The cache does what it is there for: the third was its own.
    expect([reached, send.kept()]).toEqual([2, 2])
    for (const nobody of [[], lines('sc_nonsense'), ['X-Other: 1'], lines(`${a.key.slice(0, -1)}!`)]) {
      const { status, headers, body } = await send(nobody)
      expect([status, headers['cache-control']]).toEqual([401, 'no-store'])
      expect(body).not.toContain('acct_')
    }
    expect(send.kept()).toBe(2)
  })

  it('keeps no refusal: a key that is refused now is admitted as soon as it may', async () => {
    const keys = createApiKeys({ prefix: 'sc_', trustedProxies: [] })
    const { key, record } = await keys.create({ owner: 'acct_a' })
    await keys.disable(record.id)
    const bound = await framework.open(keys, { scopes: ['a:read'] }, () => 'reached')
    const send = behindCache((sent) => ask(framework, bound, sent))
    const status = async () => (await send([`X-API-Key: ${key}`])).status
    expect(await status()).toBe(401)
    await keys.enable(record.id)
    expect(await status()).toBe(403)
    await keys.update(record.id, { scopes: ['a:read'] })
    expect(await status()).toBe(200)
    expect(send.kept()).toBe(1)
  })
})

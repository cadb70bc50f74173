import { AsyncLocalStorage } from 'node:async_hooks'
import { Agent, request as ask } from 'node:http'
import { text } from 'node:stream/consumers'
import express from 'express'
import { type ApiKeysOptions, createApiKeys, type KeyStore, memoryStore } from 'keyward'
import { guard } from 'keyward/express'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { CARRIERS } from '../support/express.ts'
import { sealed } from '../support/forge.ts'
import { accessIn, codeOf, judged } from '../support/outcome.ts'
import { carried, SOURCES } from '../support/presenting.ts'
import { serve } from '../support/serve.ts'
import { kept, wrapStore } from '../support/stores.ts'

/** A store whose answers come in an order of their own. */
function shufflingStore(): KeyStore {
  let turn = 0
  return wrapStore(memoryStore(), async (_verb, ask) => {
    for (let i = (turn++ * 7) % 5; i > 0; i--) await new Promise((resolve) => setImmediate(resolve))
    return ask()
  })
}

/** Sends header lines over connections that are kept and shared by all. */
function client(port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  onTestFinished(() => agent.destroy())
  return (path: string, lines: readonly string[]) =>
    new Promise<string>((resolve, reject) => {
      const headers = Object.fromEntries(lines.map((line) => line.split(': ')))
      const sent = ask({ port, host: '127.0.0.1', path, agent, headers }, (response) =>
        text(response).then(resolve, reject),
      )
      sent.on('error', reject)
      sent.end()
    })
}

async function inLanes(lanes: number, work: (index: number) => Promise<void>, count: number): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

const TENANTS = 50

async function fifty(options: Partial<ApiKeysOptions>) {
  const keys = createApiKeys({ prefix: 'ten_', storeTimeout: '1m', ...options })
  const made = await Promise.all(Array.from({ length: TENANTS }, (_, n) => keys.create({ owner: `acct_${n}` })))
  const tenant = (index: number) => {
    const created = made[(index * 31) % TENANTS]
    if (created === undefined) throw new Error('no such tenant')
    return created
  }
  return { keys, tenant }
}

const CACHES = [
  ['remembered keys', undefined],
  ['no key remembered', false],
  ['room for 10 keys', { maxKeys: 10 }],
] as const

describe.each(CACHES)('R. Interleaved requests of 50 tenants, %s', (_name, cache) => {
  it('R-22 of 10 000 verifications each is given its own identity', async () => {
    const { keys, tenant } = await fifty({ store: shufflingStore(), cache })
    const wrong: unknown[] = []
    await inLanes(
      200,
      async (index) => {
        const { key, record } = tenant(index)
        const { owner, id } = accessIn(await keys.verify(key, index % 3 === 0 ? { limits: { day: 100_000 } } : {}))
        if (owner !== record.owner || id !== record.id) wrong.push([owner, record.owner])
      },
      10_000,
    )
    expect(wrong).toEqual([])
  })
})

describe.each(CARRIERS)('R. Interleaved requests of 50 tenants ($source)', ({ options, lines }) => {
  it('R-22 each handler sees its own identity, before and after it waits, over shared connections', async () => {
    const { keys, tenant } = await fifty({ store: shufflingStore(), cache: { maxKeys: 20 }, ...options })
    const context = new AsyncLocalStorage<string>()
    const app = express()
    app.use(guard(keys, { limits: { day: 100_000 } }))
    app.get('/:owner', (req, res) =>
      context.run(req.apiKey.owner, async () => {
        const before = req.apiKey.owner
        await new Promise((resolve) => setImmediate(resolve))
        res.send([before, req.apiKey.owner, keys.of(req).owner, context.getStore()].join(' '))
      }),
    )
    const send = client((await serve(app)).port)
    const wrong: string[] = []
    await inLanes(
      64,
      async (index) => {
        const created = tenant(index)
        const { owner } = created.record
        const answer = await send(`/${owner}`, lines(created))
        if (answer !== Array(4).fill(owner).join(' ')) wrong.push(answer)
      },
      600,
    )
    expect(wrong).toEqual([])
  })
})

const LIMITS = [
  ['a key that is remembered for a while', undefined],
  ['a key with limits, which is remembered for any time', { minute: 1000 }],
] as const

describe.each(SOURCES)('R. An id that comes back ($source)', (source) => {
  it.each(LIMITS)('R-21 is never served with the identity of the tenant who had it: %s', async (_name, limits) => {
    const [clock, store] = [fakeClock(), memoryStore()]
    const options = { prefix: 'ten_', pair: source.pair, store, clock, generateId: () => 'A'.repeat(12) }
    const [ours, elsewhere] = [createApiKeys(options), createApiKeys(options)]
    const old = await ours.create({ owner: 'acct_1', limits })
    expect(accessIn(await ours.verify(carried(source, old))).owner).toBe('acct_1')
    await elsewhere.remove(old.record.id)
    const fresh = await elsewhere.create({ owner: 'acct_2', limits })
    expect(accessIn(await ours.verify(carried(source, fresh))).owner).toBe('acct_2')
    expect(await judged(ours, carried(source, old))).toBe('invalid_key')
    clock.advance('1h')
    expect(accessIn(await ours.verify(carried(source, fresh))).owner).toBe('acct_2')
    expect(await judged(ours, carried(source, old))).toBe('invalid_key')
  })

  it.each(LIMITS)('R-21 nor when another database was put in its place: %s', async (_name, limits) => {
    const [clock, store] = [fakeClock(), memoryStore()]
    const keys = createApiKeys({ prefix: 'ten_', pair: source.pair, store, clock })
    const created = await keys.create({ owner: 'acct_1', limits })
    const before = await kept(store, created.record.id)
    expect(accessIn(await keys.verify(carried(source, created))).owner).toBe('acct_1')
    await store.remove(before.id)
    await store.insert({ ...before, owner: 'acct_2', version: before.version + 12_345 })
    if (limits === undefined) clock.advance(1_001)
    expect(accessIn(await keys.verify(carried(source, created))).owner).toBe('acct_2')
    expect(await judged(keys, carried(source, created), { owner: 'acct_1' })).toBe('owner_mismatch')
  })
})

describe('R. A read that is shared', () => {
  it('R-21 R-22 goes to those who asked for the same key, each with their own secret', async () => {
    const { keys, tenant } = await fifty({ store: shufflingStore() })
    const { key, record } = tenant(1)
    const forged = sealed(`ten_${record.id}${tenant(2).key.slice(-38, -6)}`)
    const asked = Array.from({ length: 100 }, (_, n) => keys.verify(n % 2 === 0 ? key : forged))
    const codes = (await Promise.all(asked)).map(codeOf)
    expect(codes.filter((code) => code === 'admitted')).toHaveLength(50)
    expect(codes.every((code, n) => (code === 'admitted') === (n % 2 === 0))).toBe(true)
  })
})

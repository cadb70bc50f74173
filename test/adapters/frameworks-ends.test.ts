import { connect } from 'node:net'
import { type ApiKeysOptions, createApiKeys, memoryStore } from 'keyward'
import { describe, expect, it, vi } from 'vitest'
import { ask, FRAMEWORKS, type Framework, type Handler, OVER_SOCKETS } from '../support/frameworks.ts'
import { listener } from '../support/outcome.ts'
import { request } from '../support/raw.ts'
import { deferred, wrapStore } from '../support/stores.ts'

/** Lets every callback run that is due. */
const settled = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** A route that holds 10 of a balance of 100. */
async function purse(framework: Framework, handler: Handler, options: Partial<ApiKeysOptions> = {}) {
  const keys = createApiKeys({ prefix: 'end_', storeTimeout: '10s', ...options })
  const { key, record } = await keys.create({ owner: 'acct_1', credits: { remaining: 100 } })
  const bound = await framework.open(keys, { reserve: 10 }, handler)
  const balance = () => keys.balance({ id: record.id })
  return { keys, key, bound, balance, send: () => ask(framework, bound, [`X-API-Key: ${key}`]) }
}

for (const framework of FRAMEWORKS) {
  describe(`Holds on ${framework.name}`, () => {
    it('gives back what a handler held and did not settle, when its response has ended', async () => {
      const during: number[] = []
      const { send, balance } = await purse(framework, async () => {
        during.push(await balance())
        return 'done'
      })
      expect((await send()).status).toBe(200)
      await vi.waitFor(async () => expect(await balance()).toBe(100))
      expect(during).toEqual([90])
    })

    it('charges what was settled, and gives back the rest', async () => {
      const { send, balance } = await purse(framework, async (access) => access?.settle(3))
      expect(JSON.parse((await send()).body)).toEqual({ charged: 3, short: 0 })
      await settled()
      expect(await balance()).toBe(97)
    })

    it('is a fault of the server where a handler settles what is no number, and nothing is charged', async () => {
      const { send, balance } = await purse(framework, async (access) => access?.settle(undefined as never))
      expect((await send()).status).toBe(500)
      await vi.waitFor(async () => expect(await balance()).toBe(100))
    })

    it('gives back what a handler held that throws', async () => {
      const { send, balance } = await purse(framework, () => {
        throw new Error("the handler's own")
      })
      expect((await send()).status).toBe(500)
      await vi.waitFor(async () => expect(await balance()).toBe(100))
    })
  })
}

for (const framework of OVER_SOCKETS) {
  describe(`A client that hangs up, ${framework.name}`, () => {
    it('keeps its hold while the handler still runs, which charges what was used', async () => {
      const [reached, goOn, over] = [deferred<void>(), deferred<void>(), deferred<unknown>()]
      const { key, bound, balance } = await purse(framework, async (access) => {
        reached.resolve()
        await goOn.promise
        over.resolve(await access?.settle(4))
        return 'late'
      })
      const client = connect(bound.port, '127.0.0.1')
      client.write(request([`X-API-Key: ${key}`]))
      await reached.promise
      client.destroy()
      await settled()
      expect(await balance()).toBe(90)
      goOn.resolve()
      expect(await over.promise).toEqual({ charged: 4, short: 0 })
      await settled()
      expect(await balance()).toBe(96)
    })
  })

  describe(`N-13 A client that hangs up before the verdict, ${framework.name}`, () => {
    it('is not handed to the handler, no fault is told, and its address is not lost', async () => {
      const [asked, goOn] = [deferred<void>(), deferred<void>()]
      const store = wrapStore(memoryStore(), (verb, find) => {
        if (verb !== 'find') return find()
        asked.resolve()
        return goOn.promise.then(find)
      })
      const heard = listener()
      const settings = { store, storeTimeout: '10s', trustedProxies: [], onEvent: heard.onEvent } as const
      const keys = createApiKeys({ prefix: 'end_', ...settings })
      const { key } = await keys.create({ owner: 'acct_1' })
      let reached = 0
      const bound = await framework.open(keys, undefined, () => ++reached)
      const client = connect(bound.port, '127.0.0.1')
      client.write(request([`X-API-Key: ${key}`]))
      await asked.promise
      client.destroy()
      // The server sees the end of the connection some turns later.
      await new Promise((resolve) => setTimeout(resolve, 30))
      goOn.resolve()
      await settled()
      expect(heard.of('fault')).toEqual([])
      expect(heard.of('admitted')).toMatchObject([{ address: '127.0.0.1' }])
      // A plain server decides for itself what it does with a verdict.
      expect(reached).toBe(framework.name === 'node:http' ? 1 : 0)
    })
  })
}

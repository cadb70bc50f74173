import assert from 'node:assert/strict'
import { createApiKeys, type Demand, memoryStore } from 'keyward'
import { Texts } from './fresh.ts'
import type { Variant } from './instrument.ts'
import { HIGH, isAdmitted, isDenied, PREFIX } from './subject.ts'

/** Clients that come back, and so many that the next is seldom one of those that came. */
export const CLIENTS = 500
export const STRANGERS = 50_000

/** Those that the key may come from. */
export const NETWORKS: readonly string[] = Array.from({ length: 100 }, (_, n) => `10.${n}.0.0/16`)

/** A key with everything that a policy can hold, on a route that looks at all of it. */
export async function fullPolicy(name: string, clients: number): Promise<Variant> {
  const keys = createApiKeys({
    prefix: PREFIX,
    store: memoryStore(),
    limits: { default: HIGH },
  })
  const { key } = await keys.create({
    owner: 'acct_0',
    scopes: Array.from({ length: 20 }, (_, n) => `area${n}:read`),
    resource: 'agent:42',
    allowedIps: NETWORKS,
  })
  const demand: Demand = Object.freeze({ scopes: Object.freeze(['area19:read'] as const), resource: 'agent:42' })
  const source = new Texts([key])
  const addresses = new Texts(Array.from({ length: clients }, clientAddress))
  let fresh: readonly string[] = []
  let next = 0
  return {
    name,
    waits: false,
    async check() {
      assert(isAdmitted(await keys.verify({ key, address: '10.99.1.2' }, demand)), 'a valid key is admitted')
      await isDenied(keys.verify({ key, address: '10.100.1.2' }, demand), 'ip_not_allowed')
      await isDenied(
        keys.verify({ key, address: '10.99.1.2' }, { ...demand, resource: 'agent:43' }),
        'resource_mismatch',
      )
      await isDenied(
        keys.verify({ key, address: '10.99.1.2' }, { ...demand, scopes: ['area20:read'] }),
        'insufficient_scope',
      )
    },
    texts(calls) {
      fresh = addresses.take(calls)
      next = 0
      return source.take(calls)
    },
    call: (text) => keys.verify({ key: text, address: fresh[next++] as string }, demand),
    isRight: isAdmitted,
  }
}

/** One that the key may come from; all are of one length. */
export function clientAddress(): string {
  const some = (from: number, below: number) => from + Math.floor(Math.random() * (below - from))
  return `10.${some(10, 100)}.${some(100, 256)}.${some(100, 256)}`
}

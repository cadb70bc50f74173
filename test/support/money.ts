import {
  type Access,
  type ApiKeys,
  type ApiKeysOptions,
  type Created,
  type CreditsInput,
  createApiKeys,
  type Demand,
  type KeyStore,
  memoryStore,
} from 'keyward'
import { type FakeClock, fakeClock } from 'keyward/testing'
import type { Carrier } from './express.ts'
import { codeOf, judged } from './outcome.ts'

/** An instance with one key that has credit of its own. */
export interface Purse {
  readonly keys: ApiKeys
  readonly store: KeyStore
  readonly clock: FakeClock
  readonly created: Created
  readonly key: string
  readonly id: string
  /** What becomes of a request with this demand. */
  ask(demand?: Demand): Promise<string>
  /** What is free now. */
  left(): Promise<number>
}

/** @param more further fields of the key */
export async function purse(
  credits: CreditsInput,
  options: Partial<ApiKeysOptions> = {},
  more: Pick<Parameters<ApiKeys['create']>[0], 'limits' | 'scopes' | 'metadata'> = {},
): Promise<Purse> {
  const clock = fakeClock()
  const { store = memoryStore() } = options
  const keys = createApiKeys({ prefix: 'pay_', clock, store, ...options })
  const created = await keys.create({ owner: 'acct_1', credits, ...more })
  const { key, record } = created
  return {
    keys,
    store,
    clock,
    created,
    key,
    id: record.id,
    ask: (demand) => judged(keys, created.secret === undefined ? key : { key, secret: created.secret }, demand),
    left: () => keys.balance({ id: record.id }),
  }
}

/** What a request holds that was admitted. */
export interface Held {
  readonly access: Access
  settle(actual: number): ReturnType<Access['settle']>
  /** As an adapter calls it when the response has ended. */
  release(): void
}

/** Admits a request, and gives what it may settle. */
export async function hold({ keys, key }: Pick<Purse, 'keys' | 'key'>, demand: Demand): Promise<Held> {
  const verdict = await keys.verify(key, demand)
  if (!verdict.ok || verdict.access === undefined) throw new Error(`nothing is held: ${codeOf(verdict)}`)
  const { access, release = () => {} } = verdict
  return { access, settle: access.settle, release }
}

/** The facts of a request that carries a key so. */
export function carrying({ lines }: Carrier, created: Pick<Created, 'key' | 'secret'>, more: object = {}) {
  return { rawHeaders: lines(created).flatMap((line) => line.split(': ')), peer: '203.0.113.9', ...more }
}

/** A store every verb of which answers some turns of the event loop later, as one behind a network does. */
export function farAway(inner: KeyStore = memoryStore()): Required<Omit<KeyStore, 'watch'>> {
  const later =
    <A extends readonly unknown[], T>(verb: ((...args: A) => T) | undefined) =>
    async (...args: A): Promise<Awaited<T>> => {
      await new Promise((resolve) => setImmediate(resolve))
      if (verb === undefined) throw new Error('the inner store has no such verb')
      const answer = await verb(...args)
      await new Promise((resolve) => setImmediate(resolve))
      return answer
    }
  return {
    find: later(inner.find),
    insert: later(inner.insert),
    replace: later(inner.replace),
    remove: later(inner.remove),
    list: later(inner.list),
    touch: later(inner.touch),
    take: later(inner.take),
    lease: later(inner.lease),
    move: later(inner.move),
    revokeWhere: later(inner.revokeWhere),
    note: later(inner.note),
    notes: later(inner.notes),
    close: later(inner.close),
  }
}

/** How often each outcome is among them. */
export function tally(outcomes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

/** So many at once. */
export function atOnce<T>(times: number, act: (index: number) => T | Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, async (_, index) => act(index)))
}

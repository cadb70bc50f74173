import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ApiKeysOptions, type CreateInput, createApiKeys } from 'keyward'
import { guard, refuse } from 'keyward/node'
import { now } from './moment.ts'
import { openPlace, type Place } from './place.ts'

/**
 * A service in a process of its own: an HTTP server behind a guard, which its parent orders about. An unhandled
 * rejection ends it, as Node does by itself.
 */
export interface Job {
  readonly place: Place
  readonly options?: Pick<ApiKeysOptions, 'storeTimeout' | 'cache' | 'limits'>
}

export type Order =
  | { readonly do: 'create'; readonly input: CreateInput; readonly count: number }
  /** One after the other, with so many ms between them. */
  | { readonly do: 'revoke'; readonly ids: readonly string[]; readonly every: number }
  | { readonly do: 'revokeAll'; readonly owner: string }
  /** The event loop stands still for so many ms. */
  | { readonly do: 'block'; readonly ms: number }

/** A key as it was issued. */
export interface Issued {
  readonly id: string
  readonly key: string
}

export interface Answers {
  readonly create: readonly Issued[]
  /** When each was acknowledged. */
  readonly revoke: readonly number[]
  readonly revokeAll: number
  readonly block: undefined
}

/** How often a change is asked for. */
const TRIES = 5

const [text = '{}'] = process.argv.slice(2)
const { place, options = {} } = JSON.parse(text) as Job
const { store } = openPlace(place)
const keys = createApiKeys({ prefix: 'drl_', store, ...options })
const check = guard(keys)

const server = createServer(async (req, res) => {
  const begun = now()
  const verdict = await check(req, res)
  res.setHeader('x-begun', String(begun))
  res.setHeader('x-took', String(now() - begun))
  if (verdict.ok) res.end()
  else refuse(res, verdict)
})

process.on('message', ({ n, order }: { readonly n: number; readonly order: Order }) => {
  carryOut(order).then(
    (answer) => process.send?.({ n, answer }),
    (error: { readonly code?: unknown }) => process.send?.({ n, error: String(error.code ?? error) }),
  )
})
process.on('disconnect', () => process.exit())
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))

async function carryOut(order: Order): Promise<Answers[Order['do']]> {
  if (order.do === 'create') {
    const made = await Promise.all(
      Array.from({ length: order.count }, () => persistently(() => keys.create(order.input))),
    )
    return made.map(({ key, record }) => ({ id: record.id, key }))
  }
  if (order.do === 'revokeAll') return keys.revokeAll({ owner: order.owner })
  if (order.do === 'block') {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, order.ms)
    return undefined
  }
  const acknowledged: number[] = []
  for (const id of order.ids) {
    await persistently(() => keys.revoke(id, { reason: 'a drill' }))
    acknowledged.push(now())
    await new Promise((resolve) => setTimeout(resolve, order.every))
  }
  return acknowledged
}

/** On a busy machine a store may be late: whatever came of it, the same may be asked again. */
async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await work()
    } catch (error) {
      if (tried === TRIES) throw error
    }
  }
}

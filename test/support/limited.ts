import express from 'express'
import { type ApiKeysOptions, type CreateInput, createApiKeys, type Demand } from 'keyward'
import { guard } from 'keyward/express'
import { fakeClock } from 'keyward/testing'
import type { Carrier } from './express.ts'
import type { Texts } from './presenting.ts'
import { raw, request } from './raw.ts'
import { serve } from './serve.ts'
import { parseList } from './structured-fields.ts'

interface Setting {
  readonly limits?: CreateInput['limits']
  readonly demand?: Demand
  readonly options?: Partial<ApiKeysOptions>
}

/** What a request was answered, as far as limits go. */
export interface Metered {
  readonly status: number
  /** By window: what is left. */
  readonly left: Readonly<Record<string, number | undefined>>
  readonly retryAfter: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

/** An Express application behind one guard, a key with limits, and time that stands still. */
export async function serveLimited(carrier: Carrier, { limits, demand = {}, options }: Setting) {
  const clock = fakeClock()
  const keys = createApiKeys({ prefix: 'lim_', clock, ...carrier.options, ...options })
  const created = await keys.create({ owner: 'acct_1', limits })
  let handled = 0
  const app = express()
  app.use(guard(keys, demand), (_req, res) => {
    handled++
    res.end()
  })
  const { port } = await serve(app)

  async function ask(more: readonly string[] = [], target = {}, texts: Texts = created): Promise<Metered> {
    const { status, headers } = await raw(port, request([...carrier.lines(texts), ...more], target))
    const items = headers.ratelimit === undefined ? [] : parseList(headers.ratelimit)
    const left = Object.fromEntries(items.map(({ value, parameters }) => [value, parameters.r]))
    return { status, left, retryAfter: headers['retry-after'], headers }
  }

  /** The statuses of so many requests, one after the other. */
  async function times(count: number): Promise<number[]> {
    const statuses: number[] = []
    for (let n = 0; n < count; n++) statuses.push((await ask()).status)
    return statuses
  }

  return { clock, keys, created, ask, times, handled: () => handled }
}

/** How many of each status there are. */
export function tally(statuses: readonly number[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

import express from 'express'
import { type ApiKeys, type ApiKeysOptions, createApiKeys, type Demand } from 'keyward'
import { guard } from 'keyward/express'
import { expect } from 'vitest'
import type { Issued, Line } from './places.ts'
import { type RawAnswer, raw, request } from './raw.ts'
import { serve } from './serve.ts'
import { spiedStore } from './stores.ts'

/** An Express application behind one guard. */
export interface Site {
  readonly keys: ApiKeys
  readonly port: number
  /** Makes a key. No answer may ever hold its secret. */
  issue(): Promise<Issued>
  /** Sends a request with exactly these header lines, and says what became of it as `judge` does. */
  send(lines: readonly Line[], options?: { readonly method?: string; readonly target?: string }): Promise<string>
  /** An answer in one word (`admitted`, `anonymous`, `401 invalid_key`), after checking what must hold of every answer. */
  judge(answer: RawAnswer): string
  /** How often the store was asked for a key. */
  finds(): number
}

export interface SiteOptions {
  readonly keys?: Partial<ApiKeysOptions>
  readonly demand?: Demand
  readonly server?: Parameters<typeof serve>[1]
}

export async function openSite({ keys: options, demand, server }: SiteOptions = {}): Promise<Site> {
  const spied = spiedStore()
  const keys = createApiKeys({ prefix: 'agk_live_', store: spied.store, ...options })
  const secrets: string[] = []
  let reached = 0
  const app = express()
  app.use(guard(keys, demand))
  app.use((req, res) => {
    reached++
    const access: { owner: string } | undefined = req.apiKey
    res.json({ owner: access?.owner ?? null })
  })
  const { port } = await serve(app, server)

  async function issue(): Promise<Issued> {
    const issued = await keys.create({ owner: 'acct_1' })
    secrets.push((issued.secret ?? issued.key).slice(-38))
    return issued
  }

  function judge(answer: RawAnswer): string {
    expect(reached, 'the handler is reached by what is admitted, and by nothing else').toBe(
      Number(answer.status === 200),
    )
    expect(secrets.filter((secret) => JSON.stringify(answer).includes(secret))).toEqual([])
    reached = 0
    return wordOf(answer)
  }

  return {
    keys,
    port,
    issue,
    judge,
    send: async (lines, target) =>
      judge(
        await raw(
          port,
          request(
            lines.map((line) => line.join(': ')),
            target,
          ),
        ),
      ),
    finds: () => spied.asked('find'),
  }
}

function wordOf({ status, headers, body }: RawAnswer): string {
  if (status === 200) return body === '{"owner":null}' ? 'anonymous' : 'admitted'
  if (headers['content-type'] !== 'application/problem+json') return `${status}`
  if (body === '') return `${status} without a body`
  return `${status} ${(JSON.parse(body) as { code: string }).code}`
}

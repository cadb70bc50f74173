import assert from 'node:assert/strict'
import { Texts } from './fresh.ts'
import type { Variant } from './instrument.ts'
import { BETTER_AUTH } from './peers.ts'

/** As much of better-auth as is called here: its own types need it to be installed. */
interface BetterAuth {
  readonly api: {
    signUpEmail(asked: { body: object }): Promise<{ user: { id: string } }>
    createApiKey(asked: { body: object }): Promise<{ key: string }>
    verifyApiKey(asked: { body: object }): Promise<{ valid: boolean; error: { code?: string } | null }>
  }
}

export interface Verifying {
  /** Of a key that may read contacts. */
  readonly verify: (key: string) => Promise<200 | 401 | 429>
  readonly keys: readonly string[]
}

/**
 * better-auth as its documentation sets it up, in memory, from a lock file of its own: it is large.
 * @param limit uses of a key in a minute
 */
export async function betterAuth(limit: number, count: number): Promise<Verifying> {
  const load = (name: string) => import(new URL(`../better-auth/node_modules/${name}`, import.meta.url).href)
  const { betterAuth } = await load('better-auth/dist/index.mjs')
  const { memoryAdapter } = await load('better-auth/dist/adapters/memory-adapter/index.mjs')
  const { apiKey } = await load('@better-auth/api-key/dist/index.mjs')
  const auth = betterAuth({
    baseURL: 'http://localhost',
    secret: 'a secret of the bench that guards nothing',
    database: memoryAdapter({ user: [], session: [], account: [], verification: [], apikey: [] }),
    emailAndPassword: { enabled: true },
    logger: { disabled: true },
    telemetry: { enabled: false },
    plugins: [apiKey({ rateLimit: { enabled: true, timeWindow: 60_000, maxRequests: limit } })],
  }) as BetterAuth
  const account = { email: 'bench@example.com', password: 'a long password', name: 'Bench' }
  const { user } = await auth.api.signUpEmail({ body: account })
  const permissions = { contacts: ['read'] }
  const keys: string[] = []
  for (let n = 0; n < count; n++) {
    keys.push((await auth.api.createApiKey({ body: { userId: user.id, name: `Key ${n}`, permissions } })).key)
  }
  async function verify(key: string) {
    const { valid, error } = await auth.api.verifyApiKey({ body: { key, permissions } })
    if (valid) return 200
    return error?.code === 'RATE_LIMITED' ? 429 : 401
  }
  return { verify, keys }
}

export async function betterAuthVariant(): Promise<Variant> {
  const { verify, keys } = await betterAuth(1e9, 1)
  const source = new Texts(keys)
  return {
    name: BETTER_AUTH,
    waits: true,
    calls: 200,
    async check() {
      const limited = await betterAuth(2, 1)
      const [key = ''] = limited.keys
      const stranger = `${key.slice(0, -4)}~~~~`
      const got = [await limited.verify(key), await limited.verify(key), await limited.verify(key)]
      assert.deepEqual([...got, await limited.verify(stranger)], [200, 200, 429, 401])
    },
    texts: (calls) => source.take(calls),
    call: verify,
    isRight: (status) => status === 200,
  }
}

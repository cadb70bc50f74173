import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CreateInput, createApiKeys, type KeyEvent } from 'keyward'
import { sqliteStore } from 'keyward/sqlite'
import { fakeClock } from 'keyward/testing'
import { onTestFinished } from 'vitest'
import { createApp, createKeys } from '../../examples/quickstart/app.ts'
import { serve } from '../support/serve.ts'

export type QuickstartScope = 'models:list' | 'models:run' | 'models:*' | '*'

export interface Service {
  readonly url: string
  readonly keys: ReturnType<typeof createKeys>
  /** Everything that it told, in order. */
  readonly events: readonly KeyEvent[]
  /** How many requests reached its socket. */
  requests(): number
  /** The text of a key; it may run and list models unless the input says otherwise. */
  key(input?: Partial<CreateInput<QuickstartScope>>): Promise<string>
  /** The text of a key that was made yesterday, to be valid for an hour. */
  expiredKey(): Promise<string>
}

/** The quickstart on a file of its own and a free port, until the test ends. */
export async function startService(): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-quickstart-'))
  const store = sqliteStore(join(folder, 'keys.db'))
  const events: KeyEvent[] = []
  const keys = createKeys({ store, onEvent: (event) => events.push(event) })
  const app = createApp(keys)
  let requests = 0
  const { url } = await serve((req, res) => {
    requests++
    app(req, res)
  })
  onTestFinished(async () => {
    await keys.close()
    await store.close?.()
    rmSync(folder, { recursive: true })
  })

  return {
    url,
    keys,
    events,
    requests: () => requests,
    async key(input) {
      const { key } = await keys.create({ owner: 'you', scopes: ['models:*'], ...input })
      return key
    },
    async expiredKey() {
      const yesterday = Date.now() - 86_400_000
      const then = createApiKeys({ prefix: 'qs_', store, clock: fakeClock(yesterday) })
      const expiresAt = new Date(yesterday + 3_600_000)
      const { key } = await then.create({ owner: 'you', scopes: ['models:*'], expiresAt })
      await then.close()
      return key
    },
  }
}

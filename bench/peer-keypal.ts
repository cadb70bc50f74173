import assert from 'node:assert/strict'
import { pathToFileURL } from 'node:url'
import { Texts } from './fresh.ts'
import type { Variant } from './instrument.ts'
import { KEYPAL } from './peers.ts'

/** As much of keypal as is called here. */
interface Keypal {
  create(input: object): Promise<{ key: string }>
  verify(key: string): Promise<{ valid: boolean; record?: object }>
  hasScope(record: object, scope: string): boolean
}

/**
 * keypal, in memory with its cache, as its documentation sets it up. It has left npm, so it is there for who has a build
 * of its repository only: `KEYPAL=/path/to/keypal.mjs npm run bench`.
 */
export async function keypalVariants(): Promise<readonly Variant[]> {
  const path = process.env.KEYPAL
  if (path === undefined) return []
  const { createKeys } = await import(pathToFileURL(path).href)
  const keys: Keypal = createKeys({ prefix: 'agk_live_', cache: true })
  const { key } = await keys.create({ ownerId: 'acct_0', scopes: ['contacts:read', 'contacts:update'] })
  const source = new Texts([key])
  const may = async (text: string, scope: string) => {
    const { valid, record } = await keys.verify(text)
    return valid && record !== undefined && keys.hasScope(record, scope)
  }
  return [
    {
      name: KEYPAL,
      waits: true,
      async check() {
        assert(await may(key, 'contacts:read'))
        assert(!(await may(key, 'contacts:delete')))
        assert(!(await may(`${key.slice(0, -4)}xxxx`, 'contacts:read')))
      },
      texts: (calls) => source.take(calls),
      call: (text) => may(text, 'contacts:read'),
      isRight: (admitted) => admitted === true,
    },
  ]
}

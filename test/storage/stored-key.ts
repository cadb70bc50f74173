import type { StoredKey } from '../../src/model/key.ts'

let count = 0

/** A key for a store of its own. */
export function storedKey(changes: Partial<StoredKey> = {}): StoredKey {
  const id = `key${String(++count).padStart(9, '0')}`
  const key = {
    id,
    version: 7,
    prefix: 'agk_',
    owner: 'acct_1',
    status: 'active',
    scopes: ['a:read'],
    hash: 'x$1',
  } as const
  return { ...key, createdAt: 1_000 + count, updatedAt: 1_000 + count, ...changes }
}

/** What is no cursor of any page. */
export const NONSENSE = [
  '',
  'nonsense',
  'WzEsImEiXQ==',
  ' WzEsImEiXQ',
  'WzEsImEiXQ!',
  'bnVsbA',
  'WzFd',
  'WyIxIiwiYSJd',
  '%00',
  '🔑',
  ...['[1e+300,"a"]', '[1e+25,"a"]', '[9007199254740992,"a"]', '[-9007199254740992,"a"]'].map((place) =>
    Buffer.from(place).toString('base64url'),
  ),
]

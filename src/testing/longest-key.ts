import type { StoredKey } from '../model/key.ts'

/** The longest that Keyward lets anything be, in characters. */
export const LONGEST = { prefix: 32, owner: 256, resource: 256, name: 100, description: 1_000, reason: 500 } as const

/** As many bytes of UTF-8 as a character of a text can have. */
const WIDE = '語'

/** A text that is as long as it may be, and differs from another only in its last character. */
export function longest(most: number, last: string, begin = ''): string {
  return begin.padEnd(most - last.length, WIDE) + last
}

/** The key with every field that a key can have, each as large as it may be: about 100 kB of JSON. */
export function longestKey(key: StoredKey): StoredKey {
  const owner = longest(LONGEST.owner, '1', key.owner)
  const name = longest(LONGEST.name, '"')
  const prefix = key.prefix.padEnd(LONGEST.prefix - 1, 'x').concat('_')
  return {
    ...key,
    prefix,
    owner,
    name,
    uniqueName: JSON.stringify([prefix, owner, name]),
    description: longest(LONGEST.description, '\n'),
    resource: longest(LONGEST.resource, '1'),
    scopes: Array.from({ length: 200 }, (_, at) => `${at}:`.padEnd(128, 'x')),
    limits: Object.fromEntries(
      Array.from({ length: 8 }, (_, at) => [`${at}`.padEnd(32, 'x'), { limit: 1, ms: 1_000 }]),
    ),
    allowedIps: Array.from({ length: 1_000 }, (_, at) => `ffff:ffff:ffff:ffff:ffff:ffff:ffff:${at + 1_000}/128`),
    metadata: { text: 'x'.repeat(16 * 1_024 - '{"text":""}'.length) },
    revokedReason: longest(LONGEST.reason, '\t'),
  }
}

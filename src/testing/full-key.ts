import type { StoredKey } from '../model/key.ts'

/** The key with every field that a key can have, but for the use marks, which lie beside it. */
export function fullKey(key: StoredKey): StoredKey {
  const { createdAt } = key
  return {
    ...key,
    environment: 'live',
    name: 'Production sync',
    uniqueName: `${key.owner} Production sync`,
    description: 'Line one\nline two\t"quoted" \\ 100 %',
    resource: 'agent:42',
    scopes: ['contacts:read', 'contacts:files:*', '*'],
    limits: { minute: { limit: 60, ms: 60_000 }, day: null, burst: { limit: 0, ms: 10_000 } },
    allowedIps: ['10.0.0.0/8', '2001:db8::/32'],
    metadata: { plan: 'pro', nested: { list: [1, -0.5, 1e21, true, null, 'é\u{1F511}'], empty: {} } },
    previous: { hash: 'check$before', since: createdAt, until: createdAt + 86_400_000 },
    expiresAt: createdAt + 31_536_000_000,
    revokedAt: createdAt + 1,
    revokedReason: 'leaked',
  }
}

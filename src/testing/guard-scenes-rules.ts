import { distant, failing, type Line, type Scene, type Stage } from './guard-scene.ts'

const LOOPBACK = ['127.0.0.0/8', '::1/128']
const ELSEWHERE = ['198.51.100.0/24']

/** The key, and where somebody says that it came from. */
const from =
  (address: string) =>
  (stage: Stage): readonly Line[] => [
    ['X-API-Key', stage.created.key],
    ['X-Forwarded-For', address],
  ]
const saying =
  (name: string, value: string) =>
  (stage: Stage): readonly Line[] => [
    ['X-API-Key', stage.created.key],
    [name, value],
  ]

const STATES: readonly Scene[] = (['holder', 'nobody'] as const).flatMap((reveal): Scene[] => [
  {
    id: `revoked-${reveal}`,
    name: `a revoked key, with reveal '${reveal}'`,
    expected: 'revoked',
    options: { reveal },
    before: ({ keys, created }) => keys.revoke(created.record.id, { reason: 'leaked' }),
  },
  {
    id: `disabled-${reveal}`,
    name: `a disabled key, with reveal '${reveal}'`,
    expected: 'disabled',
    options: { reveal },
    before: ({ keys, created }) => keys.disable(created.record.id),
  },
  {
    id: `expired-${reveal}`,
    name: `an expired key, with reveal '${reveal}'`,
    expected: 'expired',
    options: { reveal },
    input: { expiresAt: '2026-01-02T00:00:00Z' },
    before: ({ clock }) => clock.advance('1d'),
  },
])

const ADDRESSES: readonly Scene[] = [
  { id: 'ip', name: 'a key that may be used from here', expected: 'admitted', input: { allowedIps: LOOPBACK } },
  {
    id: 'ip-not',
    name: 'a key that may be used elsewhere',
    expected: 'ip_not_allowed',
    input: { allowedIps: ELSEWHERE },
  },
  {
    id: 'ip-undeclared',
    name: 'a forwarded request, while nothing is said of proxies',
    expected: 'ip_not_allowed',
    input: { allowedIps: [...LOOPBACK, ...ELSEWHERE] },
    lines: from('198.51.100.7'),
  },
  {
    id: 'ip-spoofed',
    name: 'a forwarded request, where there are no proxies',
    expected: 'ip_not_allowed',
    options: { trustedProxies: [] },
    input: { allowedIps: ELSEWHERE },
    lines: from('198.51.100.7'),
  },
  {
    id: 'ip-proxied',
    name: 'a request that a trusted proxy forwards',
    expected: 'admitted',
    options: { trustedProxies: LOOPBACK },
    input: { allowedIps: ELSEWHERE },
    lines: from('10.0.0.1, 198.51.100.7'),
  },
  {
    id: 'ip-leftmost',
    name: 'a request that a trusted proxy forwards, with an address of its own making before it',
    expected: 'ip_not_allowed',
    options: { trustedProxies: LOOPBACK },
    input: { allowedIps: ELSEWHERE },
    lines: from('198.51.100.7, 203.0.113.9'),
  },
  {
    id: 'ip-no-hop',
    name: 'a request of a trusted proxy that names nobody',
    expected: 'ip_not_allowed',
    options: { trustedProxies: LOOPBACK },
    input: { allowedIps: ['0.0.0.0/0', '::/0'] },
  },
]

const PLACES: readonly Scene[] = [
  {
    id: 'environment',
    name: 'a key of another environment',
    expected: 'environment_mismatch',
    options: { prefix: { live: 'chk_live_', test: 'chk_test_' } },
    input: { environment: 'test' },
    demand: () => ({ environment: 'live' }),
  },
  { id: 'owner', name: "another owner's key", expected: 'owner_mismatch', demand: () => ({ owner: 'acct_9' }) },
  {
    id: 'owner-read',
    name: 'an owner that a function reads from the request',
    expected: 'admitted',
    demand: (header) => ({ owner: header('x-account') }),
    lines: saying('X-Account', 'acct_1'),
  },
  {
    id: 'owner-other',
    name: 'another owner that a function reads from the request',
    expected: 'owner_mismatch',
    demand: (header) => ({ owner: header('x-account') }),
    lines: saying('X-Account', 'acct_2'),
  },
  {
    id: 'owner-empty',
    name: 'an owner that a function does not find',
    expected: 'owner_mismatch',
    demand: (header) => ({ owner: header('x-account') }),
  },
  {
    id: 'owner-throws',
    name: 'a function of the demand that throws',
    expected: 'fault',
    demand: () => ({
      owner: () => {
        throw new Error('thrown by a demand')
      },
    }),
  },
  {
    id: 'resource',
    name: 'a bound key on its own resource',
    expected: 'admitted',
    input: { resource: 'agent:42' },
    demand: (header) => ({ resource: header('x-agent') }),
    lines: saying('X-Agent', 'agent:42'),
  },
  {
    id: 'resource-other',
    name: 'a bound key on another resource',
    expected: 'resource_mismatch',
    input: { resource: 'agent:42' },
    demand: (header) => ({ resource: header('x-agent') }),
    lines: saying('X-Agent', 'agent:4'),
  },
  {
    id: 'resource-unstated',
    name: 'a bound key where no resource is stated',
    expected: 'resource_mismatch',
    input: { resource: 'agent:42' },
  },
  {
    id: 'scope-missing',
    name: 'a key without the scopes',
    expected: 'insufficient_scope',
    input: { scopes: ['contacts:read'] },
    demand: () => ({ scopes: ['contacts:read', 'contacts:update'] }),
  },
  {
    id: 'scope-none',
    name: 'a key without any scope',
    expected: 'insufficient_scope',
    demand: () => ({ scopes: ['a:read'] }),
  },
  {
    id: 'scope-alike',
    name: 'a scope that only begins alike',
    expected: 'insufficient_scope',
    input: { scopes: ['contacts-admin:*'] },
    demand: () => ({ scopes: ['contacts:read'] }),
  },
  {
    id: 'scope-any',
    name: 'one of several scopes',
    expected: 'admitted',
    input: { scopes: ['contacts:*'] },
    demand: () => ({ scopes: { any: ['exports:read', 'contacts:read'] } }),
  },
]

const OTHERS: readonly Scene[] = [
  {
    id: 'list-first',
    name: 'a key of the first of two instances',
    expected: 'admitted',
    beside: 'after',
  },
  {
    id: 'list-second',
    name: 'a key of the second of two instances',
    expected: 'admitted',
    beside: 'before',
  },
  {
    id: 'list-nobody',
    name: 'a text of none of two instances',
    expected: 'invalid_key',
    beside: 'before',
    lines: () => [['X-API-Key', 'third_key']],
  },
  {
    id: 'distant',
    name: 'a key in a distant store',
    expected: 'admitted',
    options: { store: distant(), storeTimeout: '1m' },
  },
  {
    id: 'distant-unknown',
    name: 'a refusal by a distant store',
    expected: 'revoked',
    options: { store: distant(), storeTimeout: '1m' },
    before: ({ keys, created }) => keys.revoke(created.record.id, { reason: 'leaked' }),
  },
  {
    id: 'store-throws',
    name: 'a store that throws',
    expected: 'unavailable',
    options: {
      store: failing('find', () => {
        throw new Error('down')
      }),
    },
  },
  {
    id: 'store-rejects',
    name: 'a store that rejects',
    expected: 'unavailable',
    options: { store: failing('find', () => Promise.reject(new Error('down'))) },
  },
  {
    id: 'store-late',
    name: 'a store that never answers',
    expected: 'unavailable',
    options: { store: failing('find', () => new Promise(() => {})), storeTimeout: 20 },
  },
]

export const RULE_SCENES: readonly Scene[] = [...STATES, ...ADDRESSES, ...PLACES, ...OTHERS]

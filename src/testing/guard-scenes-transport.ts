import type { Line, Scene, Stage } from './guard-scene.ts'

const LOOPBACK = ['127.0.0.0/8', '::1/128']
const BEHIND_PROXY = { requireTls: true, trustedProxies: LOOPBACK }

/** The key, and what a proxy, or somebody who says to be one, tells of how it came. */
const by =
  (scheme: string, ...more: readonly Line[]) =>
  ({ created }: Stage): readonly Line[] => [['X-API-Key', created.key], ['X-Forwarded-Proto', scheme], ...more]

export const TRANSPORT_SCENES: readonly Scene[] = [
  { id: 'tls-none', name: 'a key without TLS', expected: 'tls_required', options: { requireTls: true } },
  {
    id: 'tls-none-unknown',
    name: 'a bad key without TLS',
    expected: 'tls_required',
    options: { requireTls: true },
    lines: () => [['X-API-Key', 'chk_live_nonsense']],
  },
  {
    id: 'tls-none-anonymous',
    name: 'nothing without TLS, where nothing is needed',
    expected: 'tls_required',
    options: { requireTls: true },
    demand: () => ({ optional: true }),
    lines: () => [],
  },
  {
    id: 'tls-undeclared',
    name: 'a scheme told while nothing is said of proxies',
    expected: 'tls_required',
    options: { requireTls: true },
    lines: by('https'),
  },
  {
    id: 'tls-spoofed',
    name: 'a scheme told where there are no proxies',
    expected: 'tls_required',
    options: { requireTls: true, trustedProxies: [] },
    lines: by('https'),
  },
  {
    id: 'tls-proxied',
    name: 'a key that came to a trusted proxy by TLS',
    expected: 'admitted',
    options: BEHIND_PROXY,
    lines: by('https'),
  },
  {
    id: 'tls-proxied-not',
    name: 'a key that came to a trusted proxy without TLS',
    expected: 'tls_required',
    options: BEHIND_PROXY,
    lines: by('http'),
  },
  {
    id: 'tls-proxied-leftmost',
    name: 'a scheme told before that of a trusted proxy',
    expected: 'tls_required',
    options: BEHIND_PROXY,
    lines: by('https, http'),
  },
  {
    id: 'tls-proxied-chain',
    name: 'a key that came without TLS to the first of two trusted proxies',
    expected: 'tls_required',
    options: BEHIND_PROXY,
    lines: by('http, https', ['X-Forwarded-For', '198.51.100.7, 127.0.0.9']),
  },
  {
    id: 'tls-proxied-unsaid',
    name: 'a trusted proxy that tells no scheme',
    expected: 'tls_required',
    options: BEHIND_PROXY,
  },
  {
    id: 'tls-list',
    name: 'a key without TLS, where the other of two instances asks for it',
    expected: 'tls_required',
    options: { requireTls: true },
    beside: 'before',
    lines: () => [['X-API-Key', 'oth_nonsense']],
  },
]

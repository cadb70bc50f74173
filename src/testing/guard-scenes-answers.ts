import type { Scene } from './guard-scene.ts'

const ACCOUNTS: readonly Scene[] = [
  {
    id: 'suspended',
    name: 'a suspended account',
    expected: 'account_suspended',
    options: { gate: () => 'account_suspended' },
  },
  {
    id: 'gate-later',
    name: 'a gate that says so later',
    expected: 'insufficient_balance',
    options: { gate: async () => 'insufficient_balance' as const },
  },
  {
    id: 'gate-open',
    name: 'a gate that says nothing later',
    expected: 'admitted',
    options: { gate: async () => undefined },
  },
  {
    id: 'gate-throws',
    name: 'a gate that throws',
    expected: 'unavailable',
    options: {
      gate: () => {
        throw new Error('down')
      },
    },
  },
  {
    id: 'credits-spent',
    name: 'an empty balance',
    expected: 'insufficient_balance',
    input: { credits: { remaining: 0 } },
  },
  {
    id: 'credits',
    name: 'a balance',
    expected: 'admitted',
    input: { credits: { remaining: 5 } },
    demand: () => ({ cost: 5 }),
  },
  {
    id: 'reserve-read',
    name: 'a hold that a function reads from the request, above the balance',
    expected: 'insufficient_balance',
    input: { credits: { remaining: 5 } },
    demand: (header) => ({ reserve: (request) => Number(header('x-tokens')(request)) }),
    lines: ({ created }) => [
      ['X-API-Key', created.key],
      ['X-Tokens', '6'],
    ],
  },
]

const LIMITS: readonly Scene[] = [
  { id: 'limits', name: 'a key with limits', expected: 'admitted', input: { limits: { minute: 2, hour: 9 } } },
  {
    id: 'limits-spent',
    name: 'a key that has used up its limit',
    expected: 'rate_limited',
    input: { limits: { minute: 2 } },
    before: ({ keys, created }) => keys.verify(created.key, { cost: 2 }),
  },
  {
    id: 'limits-of-the-route',
    name: 'a limit of the route',
    expected: 'rate_limited',
    demand: () => ({ limits: [{ name: 'burst', limit: 1, window: '2m' }] }),
    before: ({ keys, created }) => keys.verify(created.key, { limits: [{ name: 'burst', limit: 1, window: '2m' }] }),
  },
  {
    id: 'cost-above',
    name: 'a cost above the limit',
    expected: 'rate_limited',
    input: { limits: { minute: 2 } },
    demand: () => ({ cost: 3 }),
  },
  ...(['legacy', 'both', false] as const).flatMap((rateHeaders): Scene[] => [
    {
      id: `limits-${rateHeaders}`,
      name: `a key with limits, with rateHeaders ${rateHeaders}`,
      expected: 'admitted',
      options: { rateHeaders },
      input: { limits: { minute: 2 } },
    },
    {
      id: `limits-spent-${rateHeaders}`,
      name: `a key that has used up its limit, with rateHeaders ${rateHeaders}`,
      expected: 'rate_limited',
      options: { rateHeaders },
      input: { limits: { minute: 2 } },
      before: ({ keys, created }) => keys.verify(created.key, { cost: 2 }),
    },
  ]),
  {
    id: 'overlap',
    name: 'a secret that a rotation replaced, in its overlap',
    expected: 'admitted',
    before: ({ keys, created }) => keys.rotate(created.record.id, { overlap: '1h' }),
  },
]

const WORDS: readonly Scene[] = [
  {
    id: 'answers-code',
    name: 'an answer that the instance words otherwise',
    expected: 'missing_credentials',
    options: { answers: { missing_credentials: { status: 403, title: 'No key', detail: 'Ünïcode — bytes count' } } },
    lines: () => [],
  },
  {
    id: 'answers-function',
    name: 'an answer of a function',
    expected: 'missing_credentials',
    options: {
      answers: (_denial, answer) => ({
        ...answer,
        headers: { ...answer.headers, Link: '</docs>; rel="help"', 'Content-Type': 'text/plain' },
        body: 'no key',
      }),
    },
    lines: () => [],
  },
  {
    id: 'answers-demand',
    name: 'an answer that the demand words otherwise',
    expected: 'missing_credentials',
    demand: () => ({ answers: { missing_credentials: { title: 'Of this route' } } }),
    lines: () => [],
  },
  { id: 'realm', name: 'a realm', expected: 'missing_credentials', options: { realm: 'of agents' }, lines: () => [] },
  ...['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].flatMap((method): Scene[] => [
    {
      id: `method-${method}`,
      name: `${method} without a key`,
      expected: 'missing_credentials',
      method,
      lines: () => [],
    },
    { id: `method-${method}-key`, name: `${method} with a key`, expected: 'admitted', method },
  ]),
]

export const ANSWER_SCENES: readonly Scene[] = [...ACCOUNTS, ...LIMITS, ...WORDS]

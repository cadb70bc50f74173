import { createApiKeys, header } from '../index.ts'
import { codeAt } from '../model/code-at.ts'
import { memoryStore } from '../storage/memory.ts'
import { type Line, PREFIX, type Scene, type Stage } from './guard-scene.ts'

const bearer = (text: string): Line => ['Authorization', text]
const apiKey = (text: string): Line => ['X-API-Key', text]
const own = (wrap: (key: string, stage: Stage) => readonly Line[]) => (stage: Stage) => wrap(stage.created.key, stage)

/** A key that is well formed, and that this instance never made. */
async function stranger(pair = false) {
  return createApiKeys({ prefix: PREFIX, pair, store: memoryStore() }).create({ owner: 'a stranger' })
}

const scenes = (
  expected: Scene['expected'],
  table: Readonly<Record<string, readonly [string, Omit<Scene, 'id' | 'name' | 'expected'>]>>,
) => Object.entries(table).map(([id, [name, rest]]): Scene => ({ id, name, expected, ...rest }))

const ACCEPTED = scenes('admitted', {
  bearer: ['a bearer token', {}],
  'api-key': ['X-API-Key', { lines: own((key) => [apiKey(key)]) }],
  'scheme-case': ['a scheme in other letters', { lines: own((key) => [bearer(`bEARER ${key}`)]) }],
  'several-spaces': ['several spaces after the scheme', { lines: own((key) => [bearer(`Bearer    ${key}`)]) }],
  'same-twice': ['one key in both headers', { lines: own((key) => [bearer(`Bearer ${key}`), apiKey(key)]) }],
  'foreign-beside': ['a foreign text beside it', { lines: own((key) => [bearer('Bearer eyJhbGciOiJ'), apiKey(key)]) }],
  'basic-beside': ['another scheme beside it', { lines: own((key) => [bearer('Basic YTpi'), apiKey(key)]) }],
  'odd-headers': [
    'headers that are named like members of objects',
    { lines: own((key) => [['constructor', 'x'], ['__proto__', 'x'], apiKey(key)]) },
  ],
  'own-source': [
    'a header of its own',
    { options: { sources: [header('x-acme-key')] }, lines: own((key) => [['X-Acme-Key', key]]) },
  ],
  pair: [
    'a pair',
    {
      options: { pair: true },
      lines: own((key, { created }) => [apiKey(key), ['X-API-Secret', created.secret ?? '']]),
    },
  ],
  'idle-secret': ['a secret that nobody reads', { lines: own((key) => [apiKey(key), ['X-API-Secret', 'x']]) }],
})

const MISSING = scenes('missing_credentials', {
  nothing: ['no header', { lines: () => [] }],
  'no-token': ['a scheme without a token', { lines: () => [bearer('Bearer')] }],
  basic: ['another scheme', { lines: () => [bearer('Basic YTpi')] }],
  'empty-api-key': ['an empty X-API-Key', { lines: () => [apiKey('')] }],
  'glued-scheme': ['a scheme without a space', { lines: own((key) => [bearer(`Bearer${key}`)]) }],
  'proxy-authorization': ['Proxy-Authorization', { lines: own((key) => [['Proxy-Authorization', `Bearer ${key}`]]) }],
  underscores: ['X_API_Key', { lines: own((key) => [['X_API_Key', key]]) }],
  marker: [
    'headers that say it was verified',
    {
      lines: () => [
        ['X-Consumer-Id', 'acct_1'],
        ['X-ApiKey-Verified', '1'],
      ],
    },
  ],
})

const INVALID = scenes('invalid_key', {
  malformed: ['a text that only begins like a key', { lines: () => [apiKey(`${PREFIX}nonsense`)] }],
  typo: [
    'a key with a wrong last letter',
    { lines: own((key) => [apiKey(key.slice(0, -1) + (key.endsWith('0') ? '1' : '0'))]) },
  ],
  unknown: ['a key of nobody', { lines: async () => [apiKey((await stranger()).key)] }],
  removed: ['a removed key', { before: ({ keys, created }) => keys.remove(created.record.id) }],
  foreign: ['a text without the prefix', { lines: () => [bearer('Bearer sk-0123456789')] }],
  extra: ['a second word', { lines: own((key) => [bearer(`Bearer ${key} extra`)]) }],
  quoted: ['a quoted token', { lines: own((key) => [bearer(`Bearer "${key}"`)]) }],
  encoded: ['an encoded key', { lines: own((key) => [apiKey(`%${codeAt(key, 0).toString(16)}${key.slice(1)}`)]) }],
  long: ['more than 512 bytes', { lines: own((key) => [apiKey(key + '0'.repeat(512))]) }],
  tab: ['a tab after the scheme', { lines: own((key) => [bearer(`Bearer\t${key}`)]) }],
  'id-alone': ['the id of a key', { lines: ({ created }) => [apiKey(PREFIX + created.record.id)] }],
  'wrong-secret': [
    'a key with the secret of another',
    {
      options: { pair: true },
      lines: ({ created, other }) => [apiKey(created.key), ['X-API-Secret', other.secret ?? '']],
    },
  ],
})

const AMBIGUOUS = scenes('ambiguous_credentials', {
  'two-keys': [
    'two different keys',
    { lines: ({ created, other }) => [bearer(`Bearer ${created.key}`), apiKey(other.key)] },
  ],
  comma: ['a comma', { lines: ({ created, other }) => [apiKey(`${created.key}, ${other.key}`)] }],
  repeated: [
    'a header that is sent twice',
    { lines: ({ created, other }) => [apiKey(created.key), apiKey(other.key)] },
  ],
  'repeated-same': ['a header that is sent twice, alike', { lines: own((key) => [apiKey(key), apiKey(key)]) }],
  'repeated-bearer': [
    'two bearer tokens in two lines',
    { lines: ({ created, other }) => [bearer(`Bearer ${created.key}`), bearer(`Bearer ${other.key}`)] },
  ],
  'repeated-bearer-same': [
    'a bearer token in two lines, alike',
    { lines: own((key) => [bearer(`Bearer ${key}`), bearer(`Bearer ${key}`)]) },
  ],
  'bearer-and-secret': [
    'a bearer key beside half a pair',
    {
      options: { pair: true },
      lines: ({ created }) => [bearer(`Bearer ${created.key}`), ['X-API-Secret', created.secret ?? '']],
    },
  ],
})

const HALVES = scenes('incomplete_credentials', {
  'key-alone': ['the first half of a pair', { options: { pair: true }, lines: own((key) => [apiKey(key)]) }],
  'secret-alone': [
    'the second half of a pair',
    { options: { pair: true }, lines: ({ created }) => [['X-API-Secret', created.secret ?? '']] },
  ],
})

const OPTIONAL: readonly Scene[] = [
  { id: 'optional-none', name: 'no header, where the demand is optional', expected: 'anonymous', lines: () => [] },
  { id: 'optional-key', name: 'a key, where the demand is optional', expected: 'admitted' },
  {
    id: 'optional-empty',
    name: 'an empty header, where the demand is optional',
    expected: 'missing_credentials',
    lines: () => [apiKey('')],
  } satisfies Scene,
  {
    id: 'optional-bad',
    name: 'a bad key, where the demand is optional',
    expected: 'invalid_key',
    lines: () => [apiKey('nonsense')],
  } satisfies Scene,
].map((scene) => ({ ...scene, demand: () => ({ optional: true }) }) as Scene)

export const CREDENTIAL_SCENES: readonly Scene[] = [
  ...ACCEPTED,
  ...MISSING,
  ...INVALID,
  ...AMBIGUOUS,
  ...HALVES,
  ...OPTIONAL,
]

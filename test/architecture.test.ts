import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { entries } from '../build/entries.ts'

/** The rooms of the house, behind the files at its root where they meet. */
const HOUSE = ['model', 'network', 'key', 'hash', 'credential', 'policy', 'storage', 'verify', 'manage', 'http']

/**
 * What each room may import: a room is a folder of src, or a file at its root. Imports within a room are always allowed
 * (but adapters never know each other); `type x` allows `import type` alone. A room that is not here is an error.
 */
const ROOMS: Record<string, string[]> = {
  model: [],
  network: ['model'],
  key: ['model'],
  hash: ['model'],
  credential: ['model', 'network', 'type key'],
  policy: ['model', 'network'],
  storage: ['model'],
  verify: ['model', 'key', 'hash', 'credential', 'policy', 'network'],
  manage: ['model', 'key', 'hash', 'policy', 'network'],
  audit: ['model', 'storage'],
  // The management routes are a door onto the verbs of an instance: they know them as a type, and are handed one.
  http: ['model', 'audit', 'type policy', 'type verify', 'type api-keys.ts'],
  // The API Keys page: a door like the management routes, which it has below it. What runs in browsers is in page/.
  console: ['model', 'http', 'type api-keys.ts'],
  testing: ['model', 'storage', 'index.ts', 'http'],
  'events.ts': ['model'],
  'options.ts': HOUSE.map((room) => `type ${room}`),
  'options-schema.ts': HOUSE,
  'settings.ts': [...HOUSE, 'type options.ts', 'options-schema.ts'],
  'assembly.ts': [...HOUSE, 'type settings.ts'],
  'api-keys.ts': [...HOUSE, 'type options.ts', 'settings.ts', 'events.ts', 'assembly.ts'],
  'index.ts': [...HOUSE, 'api-keys.ts', 'options.ts'],
  adapters: ['http', 'model', 'type api-keys.ts'],
}

/** Where a package may be imported: paths that begin so. One that is not here may be imported nowhere. */
const PACKAGES: Record<string, string[]> = {
  zod: ['src/options-schema.ts', 'type src/settings.ts', 'src/manage/', 'src/http/management', 'src/http/openapi'],
  lit: ['src/console/page/'],
  esbuild: ['src/console/bundle.ts'],
  libsql: ['src/storage/sqlite'],
  'node:sqlite': ['src/storage/sqlite'],
  '@node-rs/argon2': ['src/hash/argon2id.ts'],
  express: ['type adapters/express.ts'],
  fastify: ['type adapters/fastify.ts'],
  koa: ['type adapters/koa.ts'],
  hono: ['type adapters/hono.ts'],
}

const CEILING = 250

const files = ['src', 'adapters'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(folder, path)),
)

/** What a program may import. */
const PUBLIC: readonly string[] = Object.values(entries)

/** In how many files a word stands, tests and tools among them. */
const uses = new Map<string, number>()
for (const folder of ['src', 'adapters', 'build', 'test', 'bench', 'drills', 'examples']) {
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts') || path.includes('node_modules')) continue
    const words = new Set(readFileSync(join(folder, path), 'utf8').match(/\w+/g))
    for (const word of words) uses.set(word, (uses.get(word) ?? 0) + 1)
  }
}

describe.each(files)('%s', (file) => {
  const source = readFileSync(file, 'utf8')

  it(`has at most ${CEILING} lines`, () => {
    expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(CEILING)
  })

  it('imports only what its room may', () => {
    const refused = importsOf(source).filter((found) => !isAllowed(file, found))
    expect(refused.map(({ specifier }) => specifier)).toEqual([])
  })

  it('exports nothing that no other file names, but to programs', () => {
    const exported = [...source.matchAll(/^export (?:async )?(?:const|class|function|interface|type) (\w+)/gm)]
    const unused = exported.map(([, name = '']) => name).filter((name) => (uses.get(name) ?? 0) < 2)
    expect(PUBLIC.includes(file) ? [] : unused).toEqual([])
  })

  it('enters the room of a store by its door alone: `storage/redis/` by `storage/redis.ts`', () => {
    const entered = importsOf(source).map(({ specifier }) => join(file, '..', specifier))
    const rooms = entered.map(storeOf).filter((room) => room !== undefined)
    expect(rooms.filter((room) => storeOf(file) !== room && file !== `${room}.ts`)).toEqual([])
  })

  it('walks the own members of objects alone: somebody may have put others on Object.prototype', () => {
    expect(source).not.toMatch(/\bfor \((const|let) \S+ in (?!.*\bObject\.hasOwn\b)/)
  })

  it('reads characters by codeAt alone, as fast whatever else the process has loaded', () => {
    // Stores escape but a character now and then.
    if (!file.startsWith('src/storage/')) expect(source).not.toMatch(/\.(charCodeAt|codePointAt)\(/)
  })
})

interface Import {
  specifier: string
  type: boolean
}

function importsOf(source: string): Import[] {
  const statements = source.matchAll(/^(?:import|export)\s+(type\s)?(?:[\w$*{},\s]+?\sfrom\s+)?'([^']+)'/gm)
  const calls = source.matchAll(/\b(?:import|require)\('([^']+)'\)/g)
  return [
    ...[...statements].map(([, type, specifier]) => ({ specifier: specifier ?? '', type: type !== undefined })),
    ...[...calls].map(([, specifier]) => ({ specifier: specifier ?? '', type: false })),
  ]
}

function isAllowed(file: string, { specifier, type }: Import): boolean {
  const allows = (list: string[] | undefined, matches: (entry: string) => boolean) =>
    list?.some((entry) => matches(entry) || (type && entry.startsWith('type ') && matches(entry.slice(5)))) ?? false

  if (specifier.startsWith('.')) {
    const target = join(file, '..', specifier)
    const room = roomOf(target)
    return (room === roomOf(file) && room !== 'adapters') || allows(ROOMS[roomOf(file)], (entry) => entry === room)
  }
  const name = packageOf(specifier)
  if (name.startsWith('node:') && !(name in PACKAGES)) return true
  return allows(PACKAGES[name], (entry) => file.startsWith(entry))
}

/** `src/verify/usage.ts` → `verify`, `src/index.ts` → `index.ts`, `adapters/express.ts` → `adapters`. */
function roomOf(path: string): string {
  const [top = '', room = ''] = path.split('/')
  return top === 'src' ? room : top
}

/** `src/storage/redis/keys.ts` → `src/storage/redis`; what lies beside the stores is of all of them. */
function storeOf(path: string): string | undefined {
  return /^src\/storage\/[^/]+(?=\/)/.exec(path)?.[0]
}

/** `zod/mini` → `zod`, `@scope/name/file` → `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

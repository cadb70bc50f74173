/** One entry of package.json's `exports` each; test/package/contents.test.ts keeps the two lists equal. */
export const entries = {
  index: 'src/index.ts',
  express: 'adapters/express.ts',
  fastify: 'adapters/fastify.ts',
  koa: 'adapters/koa.ts',
  hono: 'adapters/hono.ts',
  fetch: 'adapters/fetch.ts',
  node: 'adapters/node.ts',
  nest: 'adapters/nest.ts',
  management: 'src/http/management.ts',
  console: 'src/console/console.ts',
  sqlite: 'src/storage/sqlite.ts',
  redis: 'src/storage/redis.ts',
  sql: 'src/storage/sql.ts',
  testing: 'src/testing/index.ts',
  argon2: 'src/hash/argon2id.ts',
}

export type EntryName = keyof typeof entries

/** What guards routes where a request is the platform's own `Request`, and where it is Node's. */
export const WEB: readonly EntryName[] = ['fetch', 'hono']
export const NODE: readonly EntryName[] = ['express', 'fastify', 'koa', 'node', 'nest']

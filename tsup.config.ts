import { defineConfig } from 'tsup'
import { bundlePage } from './src/console/bundle.ts'

/** One entry of package.json's `exports` each; test/package/contents.test.ts keeps the two lists equal. */
export const entry = {
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

export default defineConfig(async () => ({
  entry,
  // What runs in browsers, with lit in it, is one text in the console's entry.
  define: { KEYWARD_CONSOLE_SCRIPT: JSON.stringify(await bundlePage()) },
  format: ['esm', 'cjs'],
  target: 'node20',
  dts: true,
  clean: true,
  treeshake: true, // by Rollup, which also gives CJS an import.meta.url (for createRequire)
  splitting: true, // in CJS too: otherwise each entry gets its own copy of KeywardError
  // What is used of them comes along: zod whole is 6 MB on the disk, and together they are 160 ms of a cold start.
  noExternal: ['zod', 'ipaddr.js'],
  removeNodeProtocol: false, // `sqlite` without `node:` does not exist
}))

import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { brotliOf } from '../../bench/brotli.ts'
import manifest from '../../package.json' with { type: 'json' }

/** What an entry may weigh, kB, minified and compressed with Brotli, all of the build that it loads with it. */
const MOST: Readonly<Record<string, number>> = {
  keyward: 49,
  'keyward/express': 6.3,
  'keyward/fastify': 7.1,
  'keyward/koa': 6.1,
  'keyward/hono': 6,
  'keyward/fetch': 6,
  'keyward/node': 7,
  'keyward/nest': 9,
  'keyward/sqlite': 10,
  'keyward/redis': 17.6,
  'keyward/sql': 15.1,
  'keyward/argon2': 3,
  'keyward/management': 31,
  'keyward/console': 59,
  'keyward/testing': 70.2,
}

const entries = Object.entries(manifest.exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [[name.replace('.', 'keyward'), target.import.default] as const],
)

it.each(entries)('%s weighs no more than it may', async (name, file) => {
  const kilobytes = (await brotliOf(resolve(file))) / 1000
  expect(kilobytes).toBeGreaterThan(0)
  expect(kilobytes).toBeLessThan(MOST[name] ?? 0)
})

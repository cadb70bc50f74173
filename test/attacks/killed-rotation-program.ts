import process from 'node:process'
import { createApiKeys } from 'keyward'
import { sqliteStore } from 'keyward/sqlite'

/** Rotates a key again and again, and tells each secret that it got, until somebody kills it. */
const [file = '', id = ''] = process.argv.slice(2)
const keys = createApiKeys({ prefix: 'kr_', store: sqliteStore(file), cache: false })
for (;;) {
  const { key } = await keys.rotate(id, { overlap: '1h' })
  // The next only once it was told: Deno sends later than Node.
  await new Promise((resolve) => process.send?.(key, resolve))
}

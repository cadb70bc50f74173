/** What stands before a block that says `<!-- with: name -->`: imports and a `keys` that a section takes for granted. */
export const PRELUDES: Readonly<Record<string, string>> = {
  createApiKeys: `import { createApiKeys } from 'keyward'`,
  guard: `import { guard } from 'keyward/express'`,
  app: `import express from 'express'
const app = express()`,
  server: `import { createServer } from 'node:http'
const server = createServer()`,
  keys: `import { createApiKeys } from 'keyward'
const keys = createApiKeys({
  prefix: 'agk_live_',
  scopes: { contacts: ['create', 'read', 'update', 'delete'] },
})`,
  store: `import { memoryStore } from 'keyward'
const store = memoryStore()`,
  key: `const { key, record } = await keys.create({ owner: 'acct_1', name: 'Sync', scopes: ['contacts:read'] })`,
  PEPPERS: `import { randomBytes } from 'node:crypto'
process.env.PEPPER_1 = randomBytes(32).toString('hex')
process.env.PEPPER_2 = randomBytes(32).toString('hex')`,
}

/** A block as a file: what it says it is with, each line of it once, then its own code. */
export function complete(code: string, names: readonly string[]): string {
  const lines = names.map((name) => {
    const prelude = PRELUDES[name]
    if (prelude === undefined) throw new Error(`there is no prelude ${name}`)
    return prelude
  })
  const imports = new Set(lines.join('\n').match(/^import .*$/gm) ?? [])
  const rest = lines.join('\n').replace(/^import .*\n?/gm, '')
  return `${[...imports].join('\n')}\n${rest}\n${code}\nexport {}\n`
}

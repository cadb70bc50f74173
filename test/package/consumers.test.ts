import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { consumer } from './consumer.ts'

const entries = Object.keys(manifest.exports)
  .filter((name) => name !== './package.json')
  .map((name) => name.replace('.', 'keyward'))

const hasNodeSqlite = createRequire(import.meta.url)('node:module').isBuiltin('node:sqlite')

/** ESM and CJS consumers differ in how they get a module, not in what they do with it. */
const languages = [
  {
    language: 'an ESM consumer',
    flag: '--input-type=module',
    get: (names: string, from: string) => `const ${names} = await import('${from}')`,
  },
  {
    language: 'a CJS consumer',
    flag: '--input-type=commonjs',
    get: (names: string, from: string) => `const ${names} = require('${from}')`,
  },
]

describe.each(languages)('$language', ({ flag, get }) => {
  const run = (project: ReturnType<typeof consumer>, ...lines: string[]) =>
    project.node(flag, '-e', `(async () => { ${lines.join('\n')} })()`)

  const useAKey = `
    const { key } = await keys.create({ owner: 'acct_1' })
    const verdict = await keys.verify(key)
    console.log(verdict.ok, verdict.access.owner)
    await keys.close()`

  it('creates and verifies a key', () => {
    const createKeys = `const keys = createApiKeys({ prefix: 'ap_' })`
    expect(run(consumer(), get('{ createApiKeys }', 'keyward'), createKeys, useAKey)).toBe('true acct_1\n')
  })

  it.each(entries)('imports %s without any peer', (entry) => {
    expect(run(consumer(), get('entry', entry), 'console.log(Object.keys(entry).length > 0)')).toBe('true\n')
  })

  it('finds package.json', () => {
    const path = `require('node:module').createRequire(process.cwd() + '/x.js').resolve('keyward/package.json')`
    const script = flag.endsWith('module')
      ? `console.log(import.meta.resolve('keyward/package.json'))`
      : `console.log(${path})`
    expect(run(consumer(), script)).toMatch(/node_modules\/keyward\/package\.json\n$/)
  })

  it('keeps keys in SQLite by libsql', () => {
    const createKeys = `const keys = createApiKeys({ prefix: 'ap_', store: sqliteStore('keys.db') })`
    const imports = [get('{ createApiKeys }', 'keyward'), get('{ sqliteStore }', 'keyward/sqlite')]
    expect(run(consumer(['libsql']), ...imports, createKeys, useAKey)).toBe('true acct_1\n')
  })

  it.skipIf(hasNodeSqlite)('is told what to install where there is no SQLite', () => {
    const imports = [get('{ KeywardError }', 'keyward'), get('{ sqliteStore }', 'keyward/sqlite')]
    const tryIt = `
      try { sqliteStore('keys.db') }
      catch (error) { console.log(error instanceof KeywardError, error.code, error.message) }`
    expect(run(consumer(), ...imports, tryIt)).toMatch(/^true CONFIG .*npm install libsql/s)
  })
})

describe.each(['typescript', 'typescript7'])('a %s consumer', (compiler) => {
  // The types of Koa do not compile by themselves beside a later content-disposition: they need skipLibCheck.
  const strictly = entries.filter((entry) => entry !== 'keyward/koa')
  const program = `
    ${strictly.map((entry, index) => `import * as entry${index} from '${entry}'`).join('\n')}
    import { createApiKeys } from 'keyward'
    export const entries: object[] = [${strictly.map((_, index) => `entry${index}`).join(', ')}]
    export async function main(): Promise<string> {
      const keys = createApiKeys({ prefix: 'ap_' })
      const { key } = await keys.create({ owner: 'acct_1' })
      const verdict = await keys.verify(key)
      if (!verdict.ok) throw new Error(verdict.code)
      // @ts-expect-error an access has no such field: proof that the types are there and are not any
      verdict.access?.nonsense
      return verdict.access?.owner ?? ''
    }`

  const compile = (files: string[], options: string[]) => {
    const project = consumer(['@types/node', '@types/express', '@types/koa', 'fastify', 'hono'])
    for (const file of files) project.write(file, program)
    const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'ES2022', '--types', 'node']
    return project.node(resolve('node_modules', compiler, 'bin/tsc'), ...strict, ...options, ...files)
  }

  it('compiles with NodeNext resolution, as ESM and as CJS', () => {
    const options = ['--module', 'NodeNext', '--moduleResolution', 'NodeNext']
    expect(compile(['consumer.mts', 'consumer.cts'], options)).toBe('')
  })

  it('compiles keyward/koa', () => {
    const project = consumer(['@types/node', '@types/koa'])
    project.write(
      'consumer.mts',
      `import { createApiKeys } from 'keyward'
      import { guard } from 'keyward/koa'
      import Koa from 'koa'
      const app = new Koa().use(guard(createApiKeys({ prefix: 'ap_' })))
      app.use((ctx) => {
        ctx.body = ctx.state.apiKey.owner
        // @ts-expect-error an access has no such field: proof that the types are there and are not any
        ctx.state.apiKey.nonsense
      })`,
    )
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'ES2022', '--types', 'node']
    const resolution = ['--module', 'NodeNext', '--moduleResolution', 'NodeNext', 'consumer.mts']
    expect(project.node(resolve('node_modules', compiler, 'bin/tsc'), ...options, ...resolution)).toBe('')
  })

  it('compiles with bundler resolution', () => {
    expect(compile(['consumer.ts'], ['--module', 'ESNext', '--moduleResolution', 'Bundler'])).toBe('')
  })

  it('compiles where modules are CommonJS', () => {
    // TypeScript 7 has no resolution of Node 10 any more, which knows no exports; 5 takes it by default here.
    const resolution = compiler === 'typescript' ? 'Node10' : 'Bundler'
    const options = ['--module', 'CommonJS', '--moduleResolution', resolution, '--skipLibCheck']
    expect(compile(['consumer.ts'], options)).toBe('')
  })
})

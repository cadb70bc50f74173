import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'

let folder: string

beforeAll(() => {
  // Where what is not bundled is found.
  folder = mkdtempSync(resolve('node_modules', '.keyward-bundled-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

const PROGRAM = `
import { createApiKeys } from 'keyward'
import { argon2id } from 'keyward/argon2'
import { sqliteStore } from 'keyward/sqlite'
const keys = createApiKeys({ prefix: 'bun_', store: sqliteStore(':memory:'), hasher: argon2id({ memory: 7168, passes: 1 }) })
keys.create({ owner: 'acct_1' }).then(async ({ key }) => console.log((await keys.verify(key)).ok))
`

/** `node:module` as webpack has it until 5.98: of a module that is a function nothing but the default. */
const defaultAlone: Plugin = {
  name: 'default-alone',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?module$/, namespace: 'file' }, () => ({ path: 'module', namespace: 'default-alone' }))
    onLoad({ filter: /./, namespace: 'default-alone' }, () => ({
      contents: "export default process.getBuiltinModule('node:module')",
    }))
  },
}

it.each([
  ['cjs', {}, []],
  ['esm', {}, []],
  ['cjs', {}, [defaultAlone]],
  ['esm', {}, [defaultAlone]],
  // As webpack has it: the place where the bundle was made.
  ['esm', { 'import.meta.url': '"file:///made/elsewhere.js"' }, []],
] as const)('drivers are found from a bundle (%s %j %j)', async (format, define, plugins) => {
  const outfile = join(folder, format === 'cjs' ? 'program.cjs' : 'program.mjs')
  await build({
    stdin: { contents: PROGRAM, resolveDir: process.cwd() },
    bundle: true,
    format,
    platform: 'node',
    external: ['libsql', '@node-rs/argon2'],
    outfile,
    define,
    plugins: [...plugins],
    logLevel: 'error',
    tsconfigRaw: '{}', // not the sources, which its paths name
  })
  expect(execFileSync(process.execPath, [outfile], { encoding: 'utf8' })).toBe('true\n')
})

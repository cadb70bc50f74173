import { type TransformOptions, transform } from 'esbuild'
import { type InternalModuleFormat, type ManualChunkMeta, type OutputOptions, type Plugin, rollup } from 'rollup'
import { type EntryName, entries, NODE, WEB } from './entries.ts'

const OTHERS = (Object.keys(entries) as EntryName[]).filter((name) => ![...WEB, ...NODE].includes(name))

const OUTPUTS: readonly OutputOptions[] = [
  { format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'shared-[name].js' },
  { format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: 'shared-[name].cjs' },
]

/**
 * Writes modules as a package of few files, once as ES modules and once as CommonJS: to find, read and link a file costs a
 * cold start half a millisecond, however little is in it.
 */
export async function join(modules: ReadonlyMap<string, string>, dir: string): Promise<void> {
  const bundle = await rollup({
    input: Object.keys(entries).map((name) => `${name}.js`),
    plugins: [from(modules)],
    treeshake: { moduleSideEffects: 'no-external' },
  })
  for (const output of OUTPUTS) {
    await bundle.write({
      ...output,
      dir,
      exports: 'named',
      manualChunks: chunkOf,
      minifyInternalExports: false,
      hoistTransitiveImports: false,
      plugins: [tight],
    })
  }
  await bundle.close()
}

/**
 * What every guard needs, and what a guard and anything but a guard need, is one file: whoever loads one loads the other.
 * What guards of Node's own requests need beyond it is another.
 */
function chunkOf(module: string, { getModuleInfo }: ManualChunkMeta): string | undefined {
  if (getModuleInfo(module)?.isEntry) return undefined
  const users = usersOf(module, getModuleInfo)
  const isFor = (names: readonly EntryName[]) => names.some((name) => users.has(`${name}.js`))
  // What guards of Node's own requests need brings node:http along, which Workers have not got.
  if (isFor(WEB) || (isFor(NODE) && isFor(OTHERS))) return 'guard'
  return isFor(NODE) ? 'guard-node' : undefined
}

/** All modules that a module is loaded with. */
function usersOf(module: string, getModuleInfo: ManualChunkMeta['getModuleInfo']): ReadonlySet<string> {
  const users = new Set([module])
  // A set is walked to its end, also to what is added on the way.
  for (const user of users) for (const importer of getModuleInfo(user)?.importers ?? []) users.add(importer)
  return users
}

function from(modules: ReadonlyMap<string, string>): Plugin {
  const nameOf = (id: string) => id.replace('./', '')
  return {
    name: 'keyward:modules',
    resolveId: (id) => (modules.has(nameOf(id)) ? nameOf(id) : { id, external: true }),
    load: (id) => modules.get(id),
  }
}

/**
 * Without white space, every name whole: a trace says which function of which file it passed, and a formatter shows the code.
 * Checks alone have short names: what they find they say in words.
 */
const tight: Plugin = {
  name: 'keyward:tight',
  async renderChunk(chunk, { name }, { format }) {
    const options: TransformOptions = { minifyWhitespace: true, minifySyntax: true, charset: 'utf8', lineLimit: 300 }
    const { code } = await transform(chunk, name === 'testing' ? { ...options, ...short(format) } : options)
    // How zod makes a kind of schema. esbuild drops the mark by which a bundler leaves out those that nobody uses.
    return code.replace(/=\$constructor\(/g, '=/*@__PURE__*/$constructor(')
  },
}

/** Without a format, what CommonJS has on top keeps its names: it might be a script, which shares them with others. */
const short = (format: InternalModuleFormat) =>
  ({ minifyIdentifiers: true, format: format === 'cjs' ? 'cjs' : 'esm' }) satisfies TransformOptions

import { readFile } from 'node:fs/promises'
import { build, type Plugin, transform } from 'esbuild'
import manifest from '../package.json' with { type: 'json' }
import { CELL, HEAD, HEAD_SIZE, LEASED, LEASES, TOP, WIDTH } from '../src/storage/redis/lua-windows.ts'
import { LONGEST_LOG, SLOTS } from '../src/storage/window-counter.ts'
import { entries } from './entries.ts'
import { page } from './page.ts'

/**
 * The sources as JavaScript, by file name: a module for each entry, and one for whatever the same entries share. What is
 * used of zod comes along: whole it is 6 MB on the disk.
 */
export async function bundleSources(): Promise<ReadonlyMap<string, string>> {
  const peers = Object.keys(manifest.peerDependencies)
  const { outputFiles } = await build({
    entryPoints: entries,
    bundle: true,
    // Without it each entry would have a KeywardError of its own.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    charset: 'utf8',
    external: peers.flatMap((name) => [name, `${name}/*`]),
    plugins: [scripts, thirdParty, page],
    chunkNames: '[hash]',
    outdir: '/',
    write: false,
  })
  return new Map(outputFiles.map(({ path, text }) => [path.replace(/^.*[\\/]/, ''), text]))
}

/** The scripts for Redis, which esbuild leaves alone because they are text. */
const scripts: Plugin = {
  name: 'scripts',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]redis[\\/](lua|scripts)[\w-]*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      return { contents: source.replace(/`[^`]*`/g, withoutAir), loader: 'ts' }
    })
  },
}

/** What several scripts share, by the names that they have for it. */
const SHARED = new Map(Object.entries({ CELL, HEAD, HEAD_SIZE, LEASED, LEASES, LONGEST_LOG, SLOTS, TOP, WIDTH }))

/** No explanations, empty lines or indentation, no space that Lua does not ask for, and no names for what is shared. */
function withoutAir(lua: string): string {
  return lua
    .replace(/^ *(-- .*)?\n/gm, '')
    .replace(/^ +/gm, '')
    .replace(/ (==|~=|<=|>=|[-=<>+*/%]) /g, '$1')
    .replace(/([,{]) /g, '$1')
    .replace(/ }|([)\]]) /g, (end) => end.trim())
    .replace(/\$\{(\w+)\}/g, (whole, name) => String(SHARED.get(name) ?? whole))
}

/** Code of others keeps no names of its own: who must know more of it than its licence reads it where it is published. */
const thirdParty: Plugin = {
  name: 'third-party',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/](zod|ipaddr\.js)[\\/].*\.js$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { minifyIdentifiers: true, charset: 'utf8' })
      return { contents: code, loader: 'js' }
    })
  },
}

import { readFile } from 'node:fs/promises'
import { build, type Plugin } from 'esbuild'
import manifest from '../package.json' with { type: 'json' }
import { bundlePage } from '../src/console/bundle.ts'
import { entries } from './entries.ts'

/**
 * The sources as JavaScript, by file name: a module for each entry, and one for whatever the same entries share. What is
 * used of zod and ipaddr.js comes along: zod whole is 6 MB on the disk, and together they are 160 ms of a cold start.
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
    // What runs in browsers, with lit in it, is one text in the console's entry.
    define: { KEYWARD_CONSOLE_SCRIPT: JSON.stringify(await bundlePage()) },
    plugins: [scripts],
    chunkNames: '[hash]',
    outdir: '/',
    write: false,
  })
  return new Map(outputFiles.map(({ path, text }) => [path.replace(/^.*[\\/]/, ''), text]))
}

/** What is explained in the scripts for Redis, esbuild leaves alone because it is text: no server need read it. */
const scripts: Plugin = {
  name: 'scripts',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]redis-(lua|scripts)[\w-]*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      return { contents: source.replace(/^ *-- .*\n/gm, ''), loader: 'ts' }
    })
  },
}

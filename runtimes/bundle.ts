import { fileURLToPath } from 'node:url'
import { build } from 'tsup'

const root = new URL('..', import.meta.url)

/** Bundles a program of this folder with the sources that it is about, for a runtime that knows no TypeScript. */
export async function bundle(name: string): Promise<string> {
  const outDir = fileURLToPath(new URL('runtimes/dist/', root))
  await build({
    config: false,
    entry: { [name]: fileURLToPath(new URL(`runtimes/${name}.ts`, root)) },
    tsconfig: fileURLToPath(new URL('tsconfig.json', root)),
    outDir,
    format: 'esm',
    target: 'es2022',
    platform: 'node',
    noExternal: [/.*/],
    removeNodeProtocol: false,
    silent: true,
    outExtension: () => ({ js: '.mjs' }),
  })
  return `${outDir}${name}.mjs`
}

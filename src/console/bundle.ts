import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** The browser's code as one script, with lit in it: made by the build, and on demand where the sources run. */
export async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./page/keyward-console.ts', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    // lit's development build warns; what is served is the other.
    conditions: ['production'],
    banner: { js: '/* Keyward (MIT). Contains lit, copyright Google LLC, BSD-3-Clause. */' },
  })
  const [script] = outputFiles
  if (script === undefined) throw new Error('esbuild wrote nothing')
  return script.text
}

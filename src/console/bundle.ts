import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build, type Plugin, transform } from 'esbuild'

const BANNER = '/* Keyward (MIT). Contains lit, copyright Google LLC, BSD-3-Clause. */'

/** The browser's code as one script, with lit in it: made by the build, and on demand where the sources run. */
export async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./page/main.ts', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    // lit's development build warns; what is served is the other.
    conditions: ['production'],
    plugins: [templates],
  })
  const [script] = outputFiles
  if (script === undefined) throw new Error('esbuild wrote nothing')
  return `${BANNER}\n${await smaller(script.text)}`
}

/** Once more as a whole: names go by how often they are, and what lit calls `_$` inside itself gets short names too. */
async function smaller(script: string): Promise<string> {
  const how = { minify: true, format: 'esm', target: 'es2022', charset: 'utf8', mangleProps: /^_\$/ } as const
  return (await transform(script, how)).code
}

/** What esbuild leaves alone because it is text: style sheets, and the indentation of markup. */
const templates: Plugin = {
  name: 'templates',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]page[\\/][\w-]+\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      const isMarkup = /\b(html|svg)`/.test(source)
      const markup = () => source.replace(/(?<=[>}])\n\s+(?=<|\$\{)/g, '').replace(/\n\s+/g, '\n')
      return { contents: isMarkup ? markup() : await withSmallStyles(source), loader: 'ts' }
    })
  },
}

async function withSmallStyles(source: string): Promise<string> {
  const [before, style, after] = source.split(/(?<=\bcss`)([^`$]*)(?=`)/)
  if (style === undefined) return source
  const { code } = await transform(style, { loader: 'css', minify: true, charset: 'utf8' })
  // What stands in a variable esbuild leaves as it is written.
  const small = code.trim().replaceAll(', ', ',')
  // In a template, an escape of CSS would be one of JavaScript.
  return `${before}${small.replaceAll('\\', '\\\\')}${after}`
}

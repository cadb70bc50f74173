import { mkdir, writeFile } from 'node:fs/promises'
import type { Plugin } from 'esbuild'
import { bundlePage } from '../src/console/bundle.ts'

const FILE = 'console-page.js'

/** What runs in browsers, with lit in it, is one text in one module, which ES modules and CommonJS both import when they serve it. */
export async function writePage(outDir: string): Promise<void> {
  const script = JSON.stringify(await bundlePage())
  await mkdir(outDir, { recursive: true })
  await writeFile(`${outDir}/${FILE}`, `const page=${script};export const bundlePage=()=>page;\n`)
}

/** In place of what makes the page from its sources. */
export const page: Plugin = {
  name: 'page',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/bundle\.ts$/ }, () => ({ path: `./${FILE}`, external: true }))
  },
}

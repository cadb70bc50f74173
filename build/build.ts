import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { bundleSources } from './bundle.ts'
import { entries } from './entries.ts'
import { join } from './join.ts'

// npm run build   writes the package's dist/
const outDir = fileURLToPath(new URL('../dist', import.meta.url))
await rm(outDir, { recursive: true, force: true })
await Promise.all([writeScripts(), writeTypes()])

async function writeScripts(): Promise<void> {
  await join(await bundleSources(), outDir)
}

function writeTypes(): Promise<void> {
  return build({ config: false, entry: entries, format: ['esm', 'cjs'], dts: { only: true }, outDir, silent: true })
}

import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { bundleSources } from './bundle.ts'
import { join } from './join.ts'
import { writePage } from './page.ts'
import { writeTypes } from './types.ts'

// npm run build   writes the package's dist/
const outDir = fileURLToPath(new URL('../dist', import.meta.url))
await rm(outDir, { recursive: true, force: true })
await Promise.all([writeScripts(), writePage(outDir), writeTypes(outDir)])

async function writeScripts(): Promise<void> {
  await join(await bundleSources(), outDir)
}

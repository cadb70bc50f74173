import { readFile, writeFile } from 'node:fs/promises'
import { build } from 'tsup'
import { entries } from './entries.ts'

/**
 * The types, written for `require` and told on for `import`: they are the same, and an ES module may take its types from
 * CommonJS where the other way is an error.
 */
export async function writeTypes(outDir: string): Promise<void> {
  await build({ config: false, entry: entries, format: ['cjs'], dts: { only: true }, outDir, silent: true })
  await Promise.all(Object.keys(entries).map((name) => tellOn(name, outDir)))
}

/** What takes types from a package is copied, since that may have one set for each: Hono's middleware is not the same type in both. */
async function tellOn(name: string, outDir: string): Promise<void> {
  const types = await readFile(`${outDir}/${name}.d.cts`, 'utf8')
  const needsPackage = /from '(?!node:|\.)/.test(types)
  await writeFile(`${outDir}/${name}.d.ts`, needsPackage ? types : `export * from './${name}.cjs';\n`)
}

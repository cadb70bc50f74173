import { brotliCompressSync } from 'node:zlib'
import { build } from 'esbuild'

/**
 * What an entry of the package weighs, bytes: minified and compressed with Brotli, all of the build that it loads with it,
 * and nothing of packages that are installed beside it.
 */
export async function brotliOf(file: string): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    write: false,
    logLevel: 'error',
  })
  return outputFiles.reduce((sum, { contents }) => sum + brotliCompressSync(contents).length, 0)
}

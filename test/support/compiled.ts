import { mkdirSync, renameSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Here, because what a program imports is looked up from where it lies. */
const FOLDER = fileURLToPath(new URL('./dist/', import.meta.url))

const made = new Map<string, Promise<string>>()

/** A program as plain JavaScript, made once for this process: it starts in a third of the time. @returns its path */
export function compiled(program: URL): Promise<string> {
  const path = fileURLToPath(program)
  const making = made.get(path) ?? compile(path)
  made.set(path, making)
  return making
}

async function compile(path: string): Promise<string> {
  mkdirSync(FOLDER, { recursive: true })
  const file = join(FOLDER, basename(path).replace(/\.ts$/, '.mjs'))
  const unfinished = `${file}.${process.pid}`
  await build({
    entryPoints: [path],
    outfile: unfinished,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    tsconfig: fileURLToPath(new URL('../../tsconfig.json', import.meta.url)),
    logLevel: 'silent',
  })
  // Several test files may make it at once: nobody runs one that is half written.
  renameSync(unfinished, file)
  return file
}

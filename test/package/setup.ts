import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

/** What `npm pack` made: the package as a user installs it. */
export interface Packed {
  /** The folder of everything temporary; removed after the run. */
  folder: string
  tarball: string
  /** The paths in the tarball. */
  files: string[]
  /** What all of them take, bytes. */
  size: number
}

declare module 'vitest' {
  interface ProvidedContext {
    packed: Packed
  }
}

export default function setup(project: TestProject): () => void {
  if (isStale()) execFileSync('npm', ['run', 'build'], { stdio: 'inherit' })

  const folder = mkdtempSync(join(tmpdir(), 'keyward-'))
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    encoding: 'utf8',
  })
  const [pack] = JSON.parse(output)
  project.provide('packed', {
    folder,
    tarball: join(folder, pack.filename),
    files: pack.files.map((file: { path: string }) => file.path),
    size: pack.unpackedSize,
  })
  return () => rmSync(folder, { recursive: true })
}

/** Whether anything that the build reads is newer than what it wrote; `npm test` works on a fresh clone by this. */
function isStale(): boolean {
  const built = statSync('dist/testing.d.cts', { throwIfNoEntry: false })?.mtimeMs ?? 0
  const sources = ['src', 'adapters', 'build'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  )
  return [...sources, 'package.json', 'tsconfig.json'].some((path) => statSync(path).mtimeMs > built)
}

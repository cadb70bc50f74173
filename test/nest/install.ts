import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The majors of Nest that `keyward/nest` is tested on, each with a package.json and a lock file of its own here. */
export const MAJORS = ['11', '12'] as const

export function folderOf(major: (typeof MAJORS)[number]): string {
  return join(import.meta.dirname, major)
}

/** Installs what is missing; where everything is there it only looks. @throws what `npm ci` failed with */
export function install(): void {
  for (const folder of MAJORS.map(folderOf)) {
    if (!isInstalled(folder))
      execFileSync('npm', ['ci', '--prefix', folder], { stdio: ['ignore', 'ignore', 'inherit'] })
  }
}

export function isInstalled(folder: string): boolean {
  const { dependencies } = read(folder) as { dependencies: Readonly<Record<string, string>> }
  return Object.entries(dependencies).every(
    ([name, version]) =>
      (read(join(folder, 'node_modules', name)) as { version?: string } | undefined)?.version === version,
  )
}

function read(folder: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch {
    return undefined
  }
}

/** Before the tests: without a network they run too, but for those of Nest, which say what to type. */
export default function setup(): void {
  try {
    install()
  } catch {}
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) install()

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { inject } from 'vitest'

/** A throw-away project that has Keyward installed from the tarball. */
export interface Consumer {
  write(path: string, text: string): void
  /** Runs node in the project; what it printed. A failure throws with what it said. */
  node(...args: string[]): string
}

/**
 * `also` names packages of the repository's own node_modules that this consumer has too, and `others` folders of further
 * ones, by name: no network is needed.
 */
export function consumer(also: string[] = [], others: Readonly<Record<string, string>> = {}): Consumer {
  const { folder, tarball } = inject('packed')
  const root = mkdtempSync(join(folder, 'consumer-'))
  const keyward = join(root, 'node_modules', 'keyward')
  mkdirSync(keyward, { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '-C', keyward, '--strip-components=1'])
  const own = also.map((name) => [name, resolve('node_modules', name)] as const)
  for (const [name, target] of [...own, ...Object.entries(others)]) {
    const link = join(root, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(target, link, 'junction')
  }

  return {
    write: (path, text) => writeFileSync(join(root, path), text),
    node: (...args) => run(root, args),
  }
}

function run(root: string, args: string[]): string {
  try {
    // NODE_OPTIONS and the like of the test runner are not the consumer's.
    return execFileSync(process.execPath, args, {
      cwd: root,
      env: { PATH: process.env.PATH },
      encoding: 'utf8',
      stdio: 'pipe',
    })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`node ${args.join(' ')}\n${stdout}${stderr}`)
  }
}

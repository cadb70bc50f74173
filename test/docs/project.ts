import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

/** A throw-away project for which `keyward` means the sources of this checkout, as tsconfig.json says. */
export interface Project {
  write(path: string, text: string): void
  /** What the compiler finds; empty when nothing is wrong. */
  typecheck(): Promise<string>
  /** Runs a file to its end, in a folder of its own, and answers what it printed. A failure throws with what it said. */
  run(file: string): Promise<string>
  /** Runs a file until it has printed a line, hands that over, and stops it. */
  runUntilLine(file: string, use: (line: string) => Promise<void>): Promise<void>
  remove(): void
}

/** Alone it takes ten seconds; beside everything else, on a busy machine, many more. */
export const LONGEST_CHECK = 180_000

const nestFolder = createRequire(resolve('test/nest/12/package.json'))

/** Nest lies in a folder of its own, which the compiler finds by tsconfig.json. */
const nest: Plugin = {
  name: 'nest',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^@nestjs\// }, ({ path }) => ({
      path: pathToFileURL(nestFolder.resolve(path)).href,
      external: true,
    })),
}

export function createProject(): Project {
  const root = mkdtempSync(join(tmpdir(), 'keyward-readme-'))
  const tsconfig = join(root, 'tsconfig.json')
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'), 'junction')
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
  writeFileSync(tsconfig, JSON.stringify({ extends: resolve('tsconfig.json'), include: ['*.ts'] }))

  const files: string[] = []
  let bundled: Promise<unknown> | undefined

  /** All files at once, and what they share once: to compile the sources anew for each takes most of a minute. */
  function bundle(): Promise<unknown> {
    bundled ??= build({
      entryPoints: files.map((file) => join(root, file)),
      outdir: join(root, 'out'),
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      plugins: [nest],
      tsconfig,
      logLevel: 'silent',
    })
    return bundled
  }

  const args = (file: string) => [join(root, 'out', file.replace(/ts$/, 'js'))]
  const place = (file: string) => ({
    cwd: mkdtempSync(join(root, `${file}.folder-`)),
    env: { ...process.env, NODE_OPTIONS: '' },
  })

  return {
    write(path, text) {
      writeFileSync(join(root, path), text)
      files.push(path)
    },
    async typecheck() {
      const tsc = [resolve('node_modules/typescript7/bin/tsc'), '--noEmit', '-p', root]
      const { code, stdout, stderr } = await node(tsc, { cwd: root, timeout: LONGEST_CHECK })
      // One that was stopped, because it took too long, has found nothing yet.
      if (code !== 0 && stdout === '') throw new Error(`tsc ended without a word ${stderr}`)
      return stdout
    },
    async run(file) {
      await bundle()
      const { code, stdout, stderr } = await node(args(file), place(file))
      if (code !== 0) throw new Error(stdout + stderr)
      return stdout
    },
    async runUntilLine(file, use) {
      await bundle()
      const child = spawn(process.execPath, args(file), { ...place(file), stdio: ['ignore', 'pipe', 'inherit'] })
      const ended = once(child, 'exit')
      try {
        const [printed] = await Promise.race([once(child.stdout, 'data'), ended])
        await use(String(printed).trim())
      } finally {
        child.kill()
        await ended
      }
    },
    remove: () => rmSync(root, { recursive: true }),
  }
}

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function node(args: string[], options: { cwd: string; env?: NodeJS.ProcessEnv; timeout?: number }): Promise<Ended> {
  return new Promise((done) => {
    const child = execFile(process.execPath, args, { timeout: 55_000, ...options }, (_, stdout, stderr) =>
      done({ code: child.exitCode ?? 1, stdout, stderr }),
    )
  })
}

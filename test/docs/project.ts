import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

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

export function createProject(): Project {
  const root = mkdtempSync(join(tmpdir(), 'keyward-readme-'))
  const tsconfig = join(root, 'tsconfig.json')
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'), 'junction')
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
  writeFileSync(tsconfig, JSON.stringify({ extends: resolve('tsconfig.json'), include: ['*.ts'] }))

  const args = (file: string) => ['--import', 'tsx', join(root, file)]
  function place(file: string) {
    const cwd = join(root, `${file}.folder`)
    mkdirSync(cwd)
    return { cwd, env: { ...process.env, NODE_OPTIONS: '', TSX_TSCONFIG_PATH: tsconfig } }
  }

  return {
    write: (path, text) => writeFileSync(join(root, path), text),
    async typecheck() {
      const { stdout } = await node([resolve('node_modules/typescript/bin/tsc'), '--noEmit', '-p', root], { cwd: root })
      return stdout
    },
    async run(file) {
      const { code, stdout, stderr } = await node(args(file), place(file))
      if (code !== 0) throw new Error(stdout + stderr)
      return stdout
    },
    async runUntilLine(file, use) {
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

function node(args: string[], options: { cwd: string; env?: NodeJS.ProcessEnv }): Promise<Ended> {
  return new Promise((done) => {
    const child = execFile(process.execPath, args, { timeout: 30_000, ...options }, (_, stdout, stderr) =>
      done({ code: child.exitCode ?? 1, stdout, stderr }),
    )
  })
}

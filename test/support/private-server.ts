import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { freePort } from './free-port.ts'

/** A server of its own for the tests: a free port, a temporary folder. */
export interface PrivateServer {
  readonly port: number
  readonly process: () => ChildProcess
  /** At once, as `kill -9`. */
  kill(): Promise<void>
  /** Starts it again over the same data. */
  start(): Promise<void>
  /** Stops it and forgets its data. */
  end(): Promise<void>
}

export interface Recipe {
  /** Makes the data in a folder. */
  prepare(folder: string): void
  /** Starts the program, which stays in the foreground. */
  launch(folder: string, port: number): ChildProcess
  /** Throws as long as it does not answer. */
  greet(port: number): Promise<void>
}

const PATIENCE = 30_000

export async function startServer(name: string, recipe: Recipe): Promise<PrivateServer> {
  const folder = mkdtempSync(join(tmpdir(), `keyward-${name}-`))
  recipe.prepare(folder)
  const port = await freePort()
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    const giveUp = Date.now() + PATIENCE
    for (;;) {
      // What was killed may leave things behind that are gone a moment later: then it ends at once, and is tried again.
      if (child === undefined || child.exitCode !== null || child.signalCode !== null)
        child = recipe.launch(folder, port)
      try {
        await recipe.greet(port)
        tellOfEnd(name, folder, child)
        return
      } catch (error) {
        if (Date.now() > giveUp)
          throw new Error(`${name} did not start within ${PATIENCE} ms: ${error}\n${lastWords(folder)}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
  async function kill(): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  // Where the test runner is stopped itself, nothing of ours goes on.
  process.once('exit', () => child?.kill('SIGKILL'))
  await start()
  return {
    port,
    process: () => child as ChildProcess,
    kill,
    start,
    async end() {
      await kill()
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

/**
 * The path of a program. Where it is missing, and we may, the Debian package is installed; else the error says what to
 * type.
 */
export function programOf(name: string, debianPackage: string, folders: readonly string[] = []): string {
  const found = find(name, folders)
  if (found !== undefined) return found
  const install = `apt-get update && apt-get install -y --no-install-recommends ${debianPackage}`
  if (process.getuid?.() === 0) {
    // Several files of tests begin at once, and apt lets one in: the others wait, and find it installed.
    const isThere = `dpkg-query -W -f '\${Status}' ${debianPackage} | grep -q '^install ok installed'`
    execFileSync('flock', [join(tmpdir(), 'keyward-apt.lock'), 'sh', '-c', `${isThere} || (${install})`], {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  }
  const installed = find(name, folders)
  if (installed === undefined) throw new Error(`these tests need ${name}: ${install}`)
  return installed
}

function find(name: string, folders: readonly string[]): string | undefined {
  const paths = [...folders, ...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].map((folder) =>
    join(folder, name),
  )
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Runs a program as root may not, and gives it a folder. */
export function asUser(name: string): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** @param folder that of the server, where what it says is kept */
export function launch(
  folder: string,
  program: string,
  args: readonly string[],
  user: { uid?: number; gid?: number } = {},
): ChildProcess {
  const log = openSync(logOf(folder), 'a')
  const child = spawn(program, args, { ...user, stdio: ['ignore', log, log] })
  closeSync(log)
  return child
}

/** A test that fails because its server is gone would not say so. */
function tellOfEnd(name: string, folder: string, child: ChildProcess): void {
  child.once('exit', (code, signal) => {
    if (signal !== 'SIGKILL') console.error(`${name} ended by itself (${signal ?? code}):\n${lastWords(folder)}`)
  })
}

const logOf = (folder: string) => join(folder, 'log')
const lastWords = (folder: string) => readFileSync(logOf(folder), 'utf8').slice(-4_000)

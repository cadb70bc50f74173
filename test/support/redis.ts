import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { freePort } from './free-port.ts'
import { programOf } from './private-server.ts'

const PATIENCE = 10_000

/** A private server, that keeps nothing after its end unless it was told to. */
export interface RedisServer {
  readonly port: number
  readonly url: string
  readonly folder: string
  readonly pid: () => number
  /** A command by redis-cli; what it printed. */
  readonly cli: (...command: readonly string[]) => string
  /** Ends it at once, as a crash does. */
  readonly kill: () => Promise<void>
  /** Starts it again on its port. */
  readonly start: () => Promise<void>
  /** Ends it for good, and removes its folder. */
  readonly stop: () => Promise<void>
}

export interface RedisCluster {
  readonly nodes: readonly RedisServer[]
  readonly stop: () => Promise<void>
}

/** @param settings as on the command line: `'--appendonly', 'yes'` */
export async function startRedis(...settings: readonly string[]): Promise<RedisServer> {
  programOf('redis-server', 'redis-server')
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'keyward-redis-'))
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no']
  return serverOf(port, folder, [...fixed, ...settings])
}

async function serverOf(port: number, folder: string, args: readonly string[]): Promise<RedisServer> {
  let child = await launch(args, port)
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    folder,
    pid: () => child.pid ?? 0,
    cli: (...command) => execFileSync('redis-cli', ['-p', String(port), ...command], { encoding: 'utf8' }).trim(),
    kill,
    start: async () => {
      child = await launch(args, port)
    },
    stop: async () => {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Three masters that share the slots. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const settings = [
    '--cluster-enabled',
    'yes',
    '--cluster-node-timeout',
    '15000',
    '--cluster-require-full-coverage',
    'no',
  ]
  const nodes = await Promise.all([1, 2, 3].map(() => startRedis(...settings)))
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
  execFileSync('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { stdio: 'ignore' })
  await until(() => nodes.every(({ cli }) => cli('cluster', 'info').includes('cluster_state:ok')))
  return {
    nodes,
    stop: async () => {
      await Promise.all(nodes.map(({ stop }) => stop()))
    },
  }
}

/** Watches a master under the name `keys`, and puts a replica in its place when it dies. */
export async function startSentinel(master: RedisServer): Promise<RedisServer> {
  programOf('redis-server', 'redis-server')
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'keyward-sentinel-'))
  const file = join(folder, 'sentinel.conf')
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor keys 127.0.0.1 ${master.port} 1`,
    'sentinel down-after-milliseconds keys 300',
    'sentinel failover-timeout keys 2000',
  ]
  writeFileSync(file, lines.join('\n'))
  return serverOf(port, folder, [file, '--sentinel'])
}

/** Looks again and again until it is so; fails when that takes too long. */
export async function until(isSo: () => unknown): Promise<void> {
  const giveUp = Date.now() + PATIENCE
  while (!(await isSo())) {
    if (Date.now() > giveUp) throw new Error('it did not come to be so')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const running = new Set<ChildProcess>()
// A test run that is interrupted leaves no server behind.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

async function launch(args: readonly string[], port: number): Promise<ChildProcess> {
  const child = spawn('redis-server', args, { stdio: 'ignore' })
  running.add(child)
  child.once('exit', () => running.delete(child))
  await until(() => answers(port))
  return child
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('data', (data) => {
      socket.destroy()
      resolve(String(data).startsWith('+PONG'))
    })
    socket.write('PING\r\n')
  })
}

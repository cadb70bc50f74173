import { execFileSync } from 'node:child_process'
import mysql from 'mysql2/promise'
import { launch, type PrivateServer, programOf, startServer } from './private-server.ts'

export interface Mariadb extends PrivateServer {
  /** For a client of `mysql2`. */
  readonly connection: {
    readonly host: string
    readonly port: number
    readonly user: string
    readonly database: string
  }
}

/** A server that starts removes every temporary table in the folder, also those of another that runs: so each has its own. */
const temporary = (folder: string) => `--tmpdir=${folder}`
const connectionTo = (port: number) => ({ host: '127.0.0.1', port, user: 'root' })

/** A MariaDB of its own, with an empty database `keyward`. What it commits has reached the system, not the disk. */
export async function startMariadb(settings: readonly string[] = []): Promise<Mariadb> {
  const install = programOf('mariadb-install-db', 'mariadb-server')
  const mariadbd = programOf('mariadbd', 'mariadb-server')
  const isRoot = process.getuid?.() === 0
  const user = isRoot ? ['--user=root'] : []
  const server = await startServer('mariadb', {
    prepare(folder) {
      const args = [
        '--no-defaults',
        `--datadir=${folder}/data`,
        temporary(folder),
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
      ]
      execFileSync(install, [...args, ...user], { cwd: folder, stdio: 'pipe' }) // what it says is in the error
    },
    launch: (folder, port) =>
      launch(folder, mariadbd, [
        '--no-defaults',
        ...user,
        `--datadir=${folder}/data`,
        temporary(folder),
        `--socket=${folder}/socket`,
        `--pid-file=${folder}/pid`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        '--skip-name-resolve',
        '--max-connections=300',
        '--innodb-flush-log-at-trx-commit=2',
        ...settings,
      ]),
    async greet(port) {
      const client = await mysql.createConnection(connectionTo(port))
      await client.query('CREATE DATABASE IF NOT EXISTS keyward')
      await client.end()
    },
  })
  return { ...server, connection: { ...connectionTo(server.port), database: 'keyward' } }
}

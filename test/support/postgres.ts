import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, readdirSync } from 'node:fs'
import pg from 'pg'
import { asUser, launch, type PrivateServer, programOf, startServer } from './private-server.ts'

export interface Postgres extends PrivateServer {
  /** For a client of `pg`. */
  readonly connection: {
    readonly host: string
    readonly port: number
    readonly user: string
    readonly database: string
  }
}

/** Where Debian puts the programs that are not on the path. */
function folders(): readonly string[] {
  const root = '/usr/lib/postgresql'
  return existsSync(root) ? readdirSync(root).map((version) => `${root}/${version}/bin`) : []
}

const connectionTo = (port: number) => ({ host: '127.0.0.1', port, user: 'keyward', database: 'postgres' })

/** A PostgreSQL of its own. What it commits has reached the system, not the disk. */
export async function startPostgres(settings: readonly string[] = []): Promise<Postgres> {
  const initdb = programOf('initdb', 'postgresql', folders())
  const postgres = programOf('postgres', 'postgresql', folders())
  const user = asUser('postgres')
  const options = [
    'fsync=off',
    'max_connections=300',
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    ...settings,
  ]
  const server = await startServer('postgres', {
    prepare(folder) {
      if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
      const args = ['-D', `${folder}/data`, '-U', 'keyward', '-A', 'trust', '-E', 'UTF8', '--no-sync']
      execFileSync(initdb, args, { ...user, cwd: folder, stdio: 'pipe' }) // what it says is in the error
    },
    launch: (folder, port) =>
      launch(
        folder,
        postgres,
        ['-D', `${folder}/data`, '-p', String(port), ...options.flatMap((option) => ['-c', option])],
        user,
      ),
    async greet(port) {
      const client = new pg.Client(connectionTo(port))
      client.on('error', () => {})
      await client.connect()
      await client.end()
    },
  })
  return { ...server, connection: connectionTo(server.port) }
}

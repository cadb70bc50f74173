import { execFileSync } from 'node:child_process'
import type { RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import * as tls from 'node:tls'
import { onTestFinished } from 'vitest'

/** A key, and its certificate for a day, as one text: both are found in it. */
let made: string | undefined

function certificate(): string {
  const asked = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 1'
  made ??= execFileSync('openssl', [...asked.split(' '), '-keyout', '-'], { encoding: 'utf8', stdio: 'pipe' })
  return made
}

/**
 * Puts TLS before a server: what is said to the port goes by TLS to a second one, which hands the connection on, as
 * `node:https` does. Both end with the test.
 */
export async function throughTls(
  server: { emit(event: 'connection', socket: Duplex): unknown },
  protocol: 'h2' | 'http/1.1' = 'http/1.1',
): Promise<number> {
  const ALPNProtocols = [protocol]
  const ends = tls.createServer(
    { ALPNProtocols, key: certificate(), cert: certificate() },
    (socket) => void server.emit('connection', socket),
  )
  const inner = await listening(ends)
  const begins = createServer((client) => {
    const secured = tls.connect({ ALPNProtocols, port: inner, host: '127.0.0.1', rejectUnauthorized: false })
    for (const [from, to] of [[client, secured] as const, [secured, client] as const]) {
      from.on('error', () => to.destroy())
      from.pipe(to)
    }
  })
  return listening(begins)
}

/** Serves a listener by `node:https` on a free port until the test ends. */
export async function serveTls(listener: RequestListener) {
  const server = createHttpsServer({ key: certificate(), cert: certificate() }, listener)
  const port = await listening(server)
  onTestFinished(() => server.closeAllConnections())
  return { server, port }
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

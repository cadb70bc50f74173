import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import type { AddressInfo, ListenOptions } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Served {
  readonly port: number
  readonly url: string
  readonly server: Server
}

/** Serves a listener (an Express app is one) on a free port until the test ends. */
export async function serve(listener: RequestListener, options: ServerOptions & ListenOptions = {}): Promise<Served> {
  const { host = '127.0.0.1', path, ...rest } = options
  const server = createServer(rest, listener)
  await new Promise<void>((resolve) => server.listen(path === undefined ? { port: 0, host } : { path }, resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const port = path === undefined ? (server.address() as AddressInfo).port : 0
  return { port, url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, server }
}

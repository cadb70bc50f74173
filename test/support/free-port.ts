import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Linux, macOS and Windows look higher for a port that nobody named: above both of these ranges. */
const LOWEST = 10_000
const HIGHEST = 22_000
/** From the port of a node of a Redis Cluster to that of its bus. */
const BUS = 10_000

/**
 * A port for a server that is begun a moment later, or again after it was killed. No connection, and no other server on
 * whichever port is free, can have got it meanwhile.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST)
    if ((await isFree(port)) && (await isFree(port + BUS))) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

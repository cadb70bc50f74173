import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

/** A path for a unix socket, gone when the test ends. */
export async function socketPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'keyward-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'http.sock')
}

/** The status and the body that a server on a unix socket answers. */
export async function askUnix(path: string, lines: readonly string[]) {
  const headers = Object.fromEntries(lines.map((line) => line.split(': ') as [string, string]))
  const [response] = (await once(httpRequest({ socketPath: path, headers }).end(), 'response')) as [IncomingMessage]
  return { status: response.statusCode, body: await text(response) }
}

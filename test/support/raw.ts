import { connect } from 'node:net'

export interface RawAnswer {
  readonly status: number
  /** Lower-case names; repeated lines joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** Header lines as they came, without `Date`. */
  readonly lines: readonly string[]
  readonly body: string
}

/** Sends bytes to a port of this machine exactly as given, and reads the one answer that comes back. */
export function raw(port: number, bytes: string | Buffer, host = '127.0.0.1', from?: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, ...(from === undefined ? {} : { localAddress: from }) })
    const chunks: Buffer[] = []
    socket.setTimeout(5000, () => socket.destroy(new Error('no answer within 5 s')))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => {
      const text = Buffer.concat(chunks).toString('latin1')
      if (text === '') reject(new Error('the connection was closed without an answer'))
      else resolve(parse(text))
    })
    // Not end(): Node drops a request whose client has closed its half before an asynchronous answer is there.
    socket.write(bytes)
  })
}

/** A request with exactly these header lines (`Host` and `Connection: close` are added). */
export function request(lines: readonly string[] = [], { method = 'GET', target = '/' } = {}): Buffer {
  const head = [`${method} ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...lines]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1')
}

function parse(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [start = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  const body = headers['transfer-encoding'] === 'chunked' ? unchunk(text.slice(end + 4)) : text.slice(end + 4)
  const shown = lines.filter((line) => !/^date:/i.test(line))
  return {
    status: Number(start.split(' ')[1]),
    headers,
    lines: shown,
    body: Buffer.from(body, 'latin1').toString('utf8'),
  }
}

function unchunk(text: string): string {
  const size = Number.parseInt(text, 16)
  if (!(size > 0)) return ''
  const start = text.indexOf('\r\n') + 2
  return text.slice(start, start + size) + unchunk(text.slice(start + size + 2))
}

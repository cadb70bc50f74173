import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { type Issued, type Line, PLACES } from '../support/places.ts'
import { raw, request } from '../support/raw.ts'
import { openSite, type Site } from '../support/site.ts'

const MISSING = '401 missing_credentials'
const UPGRADE: readonly Line[] = [
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ['Sec-WebSocket-Version', '13'],
]

function text(lines: readonly Line[]): string[] {
  return lines.map((line) => line.join(': '))
}

/** A request whose body is chunked, with these lines as its trailer. */
function withTrailer(trailer: readonly Line[]): Buffer {
  const names = trailer.map(([name]) => name).join(', ')
  const head = request(['Transfer-Encoding: chunked', `Trailer: ${names}`], { method: 'POST' }).toString('latin1')
  return Buffer.from(`${head}5\r\nhello\r\n0\r\n${text(trailer).join('\r\n')}\r\n\r\n`)
}

describe.each(PLACES)('H. Header parsing: requests out of the ordinary, $name', ({ pair, lines }) => {
  async function open(): Promise<{ site: Site; issued: Issued }> {
    const site = await openSite({ keys: { pair } })
    return { site, issued: await site.issue() }
  }

  it('H-49 a key in a trailer is no key', async () => {
    const { site, issued } = await open()
    expect(site.judge(await raw(site.port, withTrailer(lines(issued))))).toBe(MISSING)
  })

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'])(
    'H-50 %s is guarded like any other method',
    async (method) => {
      const { site, issued } = await open()
      expect(await site.send([], { method })).toBe(MISSING)
      expect(
        await site.send(
          lines(issued, () => 'agk_live_x'),
          { method },
        ),
      ).toBe('401 invalid_key')
      expect(await site.send(lines(issued), { method })).toBe('admitted')
    },
  )

  it('H-50 HEAD is guarded and answered without a body', async () => {
    const { site, issued } = await open()
    expect(await site.send([], { method: 'HEAD' })).toBe('401 without a body')
    expect((await raw(site.port, request(text(lines(issued)), { method: 'HEAD' }))).status).toBe(200)
  })

  it('H-50 a preflight is no exception', async () => {
    const { site, issued } = await open()
    const names = lines(issued).map(([name]) => name.toLowerCase())
    const preflight: Line[] = [
      ['Origin', 'https://evil.example'],
      ['Access-Control-Request-Method', 'GET'],
      ['Access-Control-Request-Headers', names.join(', ')],
    ]
    expect(await site.send(preflight, { method: 'OPTIONS' })).toBe(MISSING)
  })

  it('H-50 Expect: 100-continue is refused after the interim answer', async () => {
    const { site } = await open()
    const answer = await raw(site.port, request(['Expect: 100-continue', 'Content-Length: 0'], { method: 'POST' }))
    expect(answer.status).toBe(100)
    expect(answer.body).toMatch(/^HTTP\/1\.1 401 /)
    expect(answer.body).toContain('"code":"missing_credentials"')
    expect(answer.body).not.toContain('"owner"')
  })

  it('H-50 CONNECT does not get through', async () => {
    const { site, issued } = await open()
    for (const sent of [[], lines(issued)]) {
      const bytes = request(text(sent), { method: 'CONNECT', target: 'localhost:443' })
      await expect(raw(site.port, bytes)).rejects.toThrow('closed without an answer')
    }
    expect(await site.send([])).toBe(MISSING)
  })

  it('H-51 an upgrade reaches the guard where nobody listens for upgrades', async () => {
    const { site, issued } = await open()
    const upgrade = (sent: readonly Line[]) =>
      raw(
        site.port,
        request(text([...UPGRADE, ...sent]))
          .toString('latin1')
          .replace('Connection: close', 'Connection: Upgrade, close'),
      )
    expect(site.judge(await upgrade([]))).toBe(MISSING)
    expect(site.judge(await upgrade(lines(issued, () => 'agk_live_x')))).toBe('401 invalid_key')
    expect(site.judge(await upgrade(lines(issued)))).toBe('admitted')
  })

  it('judges every request on a connection by its own headers', async () => {
    const { site, issued } = await open()
    const socket = connect({ port: site.port, host: '127.0.0.1' })
    const ask = async (sent: readonly Line[]) => {
      socket.write(`${['GET / HTTP/1.1', 'Host: localhost', ...text(sent)].join('\r\n')}\r\n\r\n`)
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      return chunk.toString('latin1').slice(9, 12)
    }
    expect([
      await ask(lines(issued)),
      await ask([]),
      await ask(lines(issued)),
      await ask(lines(issued, () => 'x')),
    ]).toEqual(['200', '401', '200', '401'])
    socket.destroy()
  })
})

import type { IncomingMessage } from 'node:http'
import { createServer, connect as dial, type OutgoingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createApiKeys, type RequestFacts } from 'keyward'
import { guard } from 'keyward/node'
import { describe, expect, it, onTestFinished } from 'vitest'
import { nodeFacts } from '../../src/http/node.ts'
import { listener } from '../support/outcome.ts'
import { headerMap, type Line, PLACES, rawHeaders, repeated } from '../support/places.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { openSite } from '../support/site.ts'

const AMBIGUOUS = '400 ambiguous_credentials'

describe('H. Header parsing: repetition', () => {
  it.each(PLACES)('H-13 H-15 refuses a second line of $header, whichever of the two is valid', async (place) => {
    const { send, issue, finds } = await openSite({ keys: { pair: place.pair } })
    const valid = place.lines(await issue())
    const other = new Map(place.lines(await issue())).get(place.header) ?? ''
    for (const second of ['', 'garbage', other]) {
      const lines = repeated(valid, place.header, () => second)
      expect(await send(lines)).toBe(AMBIGUOUS)
      expect(await send(lines.toReversed())).toBe(AMBIGUOUS)
    }
    expect(finds()).toBe(0)
  })

  it.each(PLACES)('H-14 refuses two identical lines of $header', async ({ pair, lines, header }) => {
    const { send, issue, finds } = await openSite({ keys: { pair } })
    expect(await send(repeated(lines(await issue()), header, (value) => value))).toBe(AMBIGUOUS)
    expect(finds()).toBe(0)
  })

  it.each(PLACES)('H-15 refuses lines of $header that differ in the case of their names', async (place) => {
    const { send, issue } = await openSite({ keys: { pair: place.pair } })
    const lines = place.lines(await issue())
    const [, value = ''] = lines.find(([name]) => name === place.header) ?? []
    expect(await send([...lines, [place.header.toLowerCase(), value]])).toBe(AMBIGUOUS)
    expect(await send([...lines, ['X-Other', 'x'], [place.header.toUpperCase(), 'x']])).toBe(AMBIGUOUS)
  })

  it.each(PLACES)('H-16 refuses one line that lists two keys in $name', async ({ pair, lines }) => {
    const { send, issue, finds } = await openSite({ keys: { pair } })
    const [one, two] = [await issue(), await issue()]
    expect(await send(lines(one, (text) => `${text}, ${two.key}`))).toBe(AMBIGUOUS)
    expect(await send(lines(one, (text) => `${two.key}, ${text}`))).toBe(AMBIGUOUS)
    expect(finds()).toBe(0)
  })

  it.each(PLACES)('H-17 takes a list of one value of $header, and no other list', async ({ pair, lines, header }) => {
    const { keys, issue, finds } = await openSite({ keys: { pair } })
    const [one, two] = [headerMap(lines(await issue())), headerMap(lines(await issue()))]
    const name = header.toLowerCase()
    const verdict = (value: unknown) => keys.verify({ headers: { ...one, [name]: value } })
    for (const value of [[one[name], two[name]], [one[name], one[name]], [one[name], undefined], [], [[one[name]]]]) {
      expect(await verdict(value)).toMatchObject({ ok: false, code: 'ambiguous_credentials', status: 400 })
    }
    expect(finds()).toBe(0)
    expect(await verdict([one[name]])).toMatchObject({ ok: true })
  })

  it.each(PLACES)('H-17 refuses a map or a fetch Headers that holds $header twice', async ({ pair, lines, header }) => {
    const { keys, issue } = await openSite({ keys: { pair } })
    const issued = await issue()
    const map = headerMap(lines(issued))
    const value = map[header.toLowerCase()] ?? ''
    const fetched = new Headers(map)
    expect(await keys.verify({ headers: fetched })).toMatchObject({ ok: true })
    fetched.append(header, value)
    const twice = { ...map, [header.toUpperCase()]: value }
    for (const headers of [fetched, twice]) {
      expect(await keys.verify({ headers })).toMatchObject({ ok: false, code: 'ambiguous_credentials' })
    }
  })

  it.each(PLACES)('H-19 refuses what joinDuplicateHeaders joined in $header', async ({ pair, lines, header }) => {
    const { send, issue } = await openSite({ keys: { pair }, server: { joinDuplicateHeaders: true } })
    const issued = await issue()
    expect(await send(lines(issued))).toBe('admitted')
    expect(await send(repeated(lines(issued), header, (value) => value))).toBe(AMBIGUOUS)
    expect(await send(repeated(lines(issued), header, () => 'x'))).toBe(AMBIGUOUS)
  })

  it.each(PLACES)('refuses a second line of $header on an optional route', async ({ pair, lines, header }) => {
    const { send, issue } = await openSite({ keys: { pair }, demand: { optional: true } })
    expect(await send(repeated(lines(await issue()), header, () => ''))).toBe(AMBIGUOUS)
  })
})

describe('H. Header parsing: lost lines', () => {
  const fillers = (count: number): Line[] => Array.from({ length: count }, (_, i) => [`F${i}`, '1'])

  it.each(PLACES)('H-46 refuses 1000 headers before $name, which Node may have dropped', async ({ pair, lines }) => {
    const { events, onEvent } = listener()
    const { send, issue, finds } = await openSite({ keys: { pair, onEvent }, server: { maxHeaderSize: 64 * 1024 } })
    const told = await send([...fillers(1000), ...lines(await issue())])
    expect([AMBIGUOUS, '431']).toContain(told)
    // Later versions of Node refuse it themselves, and nobody is asked.
    const denials = events.flatMap((event) => (event.type === 'denied' ? [event.code] : []))
    expect(denials).toEqual(told === AMBIGUOUS ? ['ambiguous_credentials'] : [])
    expect(finds()).toBe(0)
  })

  it('H-46 counts from the thousandth header on, whether or not the key is among them', async () => {
    const { keys, issue } = await openSite({ demand: { optional: true } })
    const lines: Line[] = [['X-API-Key', (await issue()).key]]
    const verify = (all: Line[]) => keys.verify({ rawHeaders: rawHeaders(all) }, { optional: true })
    expect(await verify([...lines, ...fillers(998)])).toMatchObject({ ok: true, access: { owner: 'acct_1' } })
    for (const all of [[...lines, ...fillers(999)], [...fillers(999), ...lines], fillers(1000), fillers(5000)]) {
      expect(await verify(all)).toMatchObject({ ok: false, code: 'ambiguous_credentials' })
    }
    const generous = { server: { maxHeadersCount: 2000 } }
    expect(
      await keys.verify({ rawHeaders: rawHeaders([...lines, ...fillers(999)]), connection: generous }),
    ).toMatchObject({ code: 'ambiguous_credentials' })
  })

  it('H-46 counts to what the server takes, where that is less', async () => {
    const keys = createApiKeys({ prefix: 'hm_', trustedProxies: ['127.0.0.1'] })
    const { key } = await keys.create({ owner: 'acct_1', allowedIps: ['10.0.0.5'] })
    const check = guard(keys)
    const { port, server } = await serve(async (req, res) => {
      const codes = [await check(req, res), await keys.verify(req)].map((verdict) => (verdict.ok ? 'ok' : verdict.code))
      res.end(codes.join(' '))
    })
    const ask = async (most: number, fill: number) => {
      server.maxHeadersCount = most
      // A proxy writes its own line behind those of the client.
      const lines = [['X-API-Key', key], ['X-Forwarded-For', '10.0.0.5'], ...fillers(fill)].map((line) =>
        line.join(': '),
      )
      const { status, body } = await raw(port, request([...lines, 'X-Forwarded-For: 203.0.113.9']))
      return status === 431 ? '431' : body
    }
    // Later versions of Node refuse it themselves.
    expect(['ambiguous_credentials ambiguous_credentials', '431']).toContain(await ask(20, 30))
    expect(await ask(20, 5)).toBe('ip_not_allowed ip_not_allowed')
    // As many as there may be by default, and no bound at all.
    for (const most of [2000, 0]) expect(await ask(most, 30)).toBe('ip_not_allowed ip_not_allowed')
  })

  it('H-46 admits a request with as many headers as can be counted', async () => {
    const { send, issue } = await openSite({ server: { maxHeaderSize: 64 * 1024 } })
    // `Host` and `Connection` are added: 999 in all.
    expect(await send([...fillers(996), ['X-API-Key', (await issue()).key]])).toBe('admitted')
  })
})

describe('H. Header parsing: HTTP/2', () => {
  /** What Node tells of an HTTP/2 request with these headers. */
  async function factsOverHttp2(headers: OutgoingHttpHeaders): Promise<RequestFacts> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const client = dial(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    onTestFinished(() => {
      client.destroy()
      server.close()
    })
    return new Promise((resolve, reject) => {
      client.on('error', reject)
      server.on('request', (message, response) => {
        // The compatibility API stands in for an IncomingMessage wherever a framework runs on HTTP/2.
        resolve(nodeFacts(message as unknown as IncomingMessage))
        response.end()
      })
      client.request(headers).resume().end()
    })
  }

  it.each(PLACES)('H-48 refuses $header twice', async ({ pair, lines, header }) => {
    const keys = createApiKeys({ prefix: 'agk_live_', pair })
    const map = headerMap(lines(await keys.create({ owner: 'acct_1' })))
    const name = header.toLowerCase()
    expect(await keys.verify(await factsOverHttp2(map))).toMatchObject({ ok: true })
    const value = map[name] ?? ''
    // Node's client refuses to send Authorization twice; joined by a comma it arrives the same.
    const twice = name === 'authorization' ? `${value}, ${value}` : [value, value]
    const verdict = await keys.verify(await factsOverHttp2({ ...map, [name]: twice }))
    expect(verdict).toMatchObject({ ok: false, code: 'ambiguous_credentials' })
  })

  it('H-48 ignores a pseudo-header that is named like a source', async () => {
    const keys = createApiKeys({ prefix: 'agk_live_' })
    const { key } = await keys.create({ owner: 'acct_1' })
    const names = [':x-api-key', ':authorization']
    const lines: Line[] = names.map((name) => [name, name.includes('auth') ? `Bearer ${key}` : key])
    for (const facts of [{ rawHeaders: rawHeaders(lines) }, { headers: Object.fromEntries(lines) }]) {
      expect(await keys.verify(facts)).toMatchObject({ ok: false, code: 'missing_credentials' })
    }
  })

  it('H-48 ignores :authority and :path that carry a key', async () => {
    const keys = createApiKeys({ prefix: 'agk_live_' })
    const { key } = await keys.create({ owner: 'acct_1' })
    const facts = await factsOverHttp2({ ':authority': key, ':path': `/${key}` })
    expect(await keys.verify(facts)).toMatchObject({ ok: false, code: 'missing_credentials' })
  })
})

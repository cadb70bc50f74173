import { createApiKeys } from 'keyward'
import { describe, expect, it } from 'vitest'
import { judged } from '../support/outcome.ts'
import { headerMap, type Issued, type Line, PLACES, type Place, rawHeaders } from '../support/places.ts'
import { raw, request } from '../support/raw.ts'
import { openSite } from '../support/site.ts'
import { spiedStore } from '../support/stores.ts'

const INVALID = '401 invalid_key'

/** An instance without a server, whose store is watched. */
async function openCore({ pair }: Pick<Place, 'pair'>, prefix = 'agk_live_') {
  const { store, asked } = spiedStore()
  const keys = createApiKeys({ prefix, pair, store })
  const issued: Issued = await keys.create({ owner: 'acct_1' })
  return { keys, issued, finds: () => asked('find') }
}

/** Every way in which the core can be fed a request with these lines. */
function fed(lines: readonly Line[]) {
  return [{ rawHeaders: rawHeaders(lines) }, { headers: headerMap(lines) }]
}

/** A text with something put into its middle, and in place of one of its characters. */
function spoilt(text: string, what: string): string[] {
  const middle = text.length - 20
  return [text.slice(0, middle) + what + text.slice(middle), text.slice(0, middle) + what + text.slice(middle + 1)]
}

const CONTROLS = [...Array.from({ length: 0x20 }, (_, code) => code), 0x7f, 0x80, 0x85, 0xa0].map((code) =>
  String.fromCharCode(code),
)

describe.each(PLACES)('H. Header parsing: bytes in $name', (place) => {
  it('H-35 refuses CR, LF and NUL wherever they stand', async () => {
    const { keys, issued, finds } = await openCore(place)
    for (const what of ['\r', '\n', '\0', '\r\n', '\r\nX-Admin: 1']) {
      for (const change of [
        (text: string) => text + what,
        (text: string) => what + text,
        (text: string) => spoilt(text, what)[0] ?? '',
      ]) {
        for (const facts of fed(place.lines(issued, change))) expect(await judged(keys, facts)).toBe('invalid_key')
      }
    }
    expect(finds()).toBe(0)
  })

  it.each([
    ['a CR', '\r'],
    ['a NUL', '\0'],
    ['a folded line', '\r\n '],
  ])('H-35 H-38 a request with %s inside never gets past the parser', async (_, what) => {
    const { send, issue } = await openSite({ keys: { pair: place.pair } })
    const lines = place.lines(await issue(), (text) => spoilt(text, what)[0] ?? '')
    expect(await send(lines)).toBe('400')
  })

  it('H-36 refuses a tab inside, which the parser lets through', async () => {
    const { send, issue, finds } = await openSite({ keys: { pair: place.pair } })
    const issued = await issue()
    for (const i of [0, 1]) expect(await send(place.lines(issued, (text) => spoilt(text, '\t')[i] ?? ''))).toBe(INVALID)
    expect(finds()).toBe(0)
  })

  it('H-36 takes tabs and spaces around a value for white space that is not part of it', async () => {
    const { send, keys, issue } = await openSite({ keys: { pair: place.pair } })
    const lines = place.lines(await issue()).map(([name, value]): Line => [name, `\t ${value}\t \t`])
    expect(await send(lines)).toBe('admitted')
    for (const facts of fed(lines)) expect(await judged(keys, facts)).toBe('admitted')
  })

  it('H-37 refuses every control character inside', async () => {
    const { keys, issued, finds } = await openCore(place)
    for (const what of CONTROLS) {
      for (const i of [0, 1]) {
        const lines = place.lines(issued, (text) => spoilt(text, what)[i] ?? '')
        for (const facts of fed(lines)) expect(await judged(keys, facts)).toBe('invalid_key')
      }
    }
    expect(finds()).toBe(0)
  })

  it('H-38 refuses what a folded line unfolds to', async () => {
    const { keys, issued, finds } = await openCore(place)
    for (const what of [' ', '  ', '\t', ' \t ']) {
      for (const facts of fed(place.lines(issued, (text) => spoilt(text, what)[0] ?? ''))) {
        expect(await judged(keys, facts)).toBe('invalid_key')
      }
    }
    expect(finds()).toBe(0)
  })

  it('H-40 refuses Latin-1 on the wire', async () => {
    const { send, issue, finds } = await openSite({ keys: { pair: place.pair } })
    const issued = await issue()
    for (const what of ['\u00e9', '\u00ff', '\u00b5']) {
      for (const i of [0, 1])
        expect(await send(place.lines(issued, (text) => spoilt(text, what)[i] ?? ''))).toBe(INVALID)
    }
    expect(finds()).toBe(0)
  })

  it.each([
    ['a full-width letter', '\uff21'],
    ['a Cyrillic letter', '\u0430'],
    ['a zero-width space', '\u200b'],
    ['a byte order mark', '\ufeff'],
    ['a combining accent', '\u0301'],
    ['an emoji', '\u{1f511}'],
    ['half a surrogate pair', '\ud83d'],
    ['a digit of another script', '\u0661'],
  ])('H-41 refuses %s, on the wire and in the core', async (_, what) => {
    const { port, keys, judge, issue, finds } = await openSite({ keys: { pair: place.pair } })
    const issued = await issue()
    for (const i of [0, 1]) {
      const lines = place.lines(issued, (text) => spoilt(text, what)[i] ?? '')
      const utf8 = lines.map(([name, value]) => `${name}: ${Buffer.from(value).toString('latin1')}`)
      expect(judge(await raw(port, request(utf8)))).toBe(INVALID)
      for (const facts of fed(lines)) expect(await judged(keys, facts)).toBe('invalid_key')
    }
    expect(finds()).toBe(0)
  })

  it('H-41 H-42 folds no look-alike of any character into it', async () => {
    const { keys, issued, finds } = await openCore(place, 'sk_')
    const wide = (text: string) =>
      text.replace(/[0-9A-Za-z]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0))
    const kelvin = (text: string) => text.replace('k', '\u212a')
    const longS = (text: string) => text.replace('s', '\u017f')
    for (const change of [wide, kelvin, longS, (text: string) => text.replace('sk', 'SK')]) {
      for (const facts of fed(place.lines(issued, change))) expect(await judged(keys, facts)).toBe('invalid_key')
    }
    expect(finds()).toBe(0)
  })

  it('H-45 refuses a megabyte without asking the store', async () => {
    const { keys, issued, finds } = await openCore(place)
    const long = 'a'.repeat(1 << 20)
    for (const change of [
      (text: string) => text + long,
      (text: string) => spoilt(text, long)[0] ?? '',
      (text: string) => text.replace(/.{6}$/, (sum) => long + sum),
    ]) {
      for (const facts of fed(place.lines(issued, change))) expect(await judged(keys, facts)).toBe('invalid_key')
    }
    expect(finds()).toBe(0)
  })
})

describe("H. Header parsing: bytes of text in the host's hands", () => {
  const odd = [...CONTROLS, ' ', ',', '\u00e9', '\uff21', '\u200b', '\u212a', '\r\n ', 'a'.repeat(1 << 20)]

  it('H-35 H-37 H-40 H-41 H-45 refuses them in a key and trims nothing', async () => {
    const { keys, issued, finds } = await openCore({ pair: false })
    for (const what of odd) {
      for (const text of [...spoilt(issued.key, what), issued.key + what, what + issued.key]) {
        expect(await judged(keys, text)).toBe('invalid_key')
        expect(await judged(keys, { key: text, address: '192.0.2.1' })).toBe('invalid_key')
      }
    }
    expect(finds()).toBe(0)
  })

  it('H-35 H-37 H-40 H-41 H-45 refuses them in either half of a pair', async () => {
    const { keys, issued, finds } = await openCore({ pair: true })
    const { key, secret = '' } = issued
    expect(await judged(keys, { key, secret })).toBe('admitted')
    const asked = finds()
    for (const what of odd) {
      for (const text of [...spoilt(key, what), key + what])
        expect(await judged(keys, { key: text, secret })).toBe('invalid_key')
      for (const text of [...spoilt(secret, what), secret + what])
        expect(await judged(keys, { key, secret: text })).toBe('invalid_key')
    }
    expect(finds()).toBe(asked)
  })

  it('H-42 a header name with a Kelvin sign is not X-API-Key', async () => {
    const { keys, issued } = await openCore({ pair: false })
    const lines: Line[] = [['X-API-\u212aey', issued.key]]
    for (const facts of [{ rawHeaders: rawHeaders(lines) }, { headers: Object.fromEntries(lines) }]) {
      expect(await judged(keys, facts)).toBe('missing_credentials')
    }
  })
})

import { createApiKeys } from 'keyward'
import { describe, expect, it } from 'vitest'
import { ask, OVER_SOCKETS } from '../support/frameworks.ts'
import { raw } from '../support/raw.ts'
import { unknownKeys } from '../support/strangers.ts'

/** Header lines for a key and another one, and the statuses that are right. */
type Case = readonly [
  name: string,
  lines: (key: string, other: string) => readonly string[],
  ...statuses: readonly number[],
]

const fillers = (count: number) => Array.from({ length: count }, (_, i) => `X-Filler-${i}: x`)

const CASES: readonly Case[] = [
  ['H-02 an empty Authorization', () => ['Authorization:'], 401],
  ['H-03 Bearer without a token', () => ['Authorization: Bearer'], 401],
  ['H-04 Bearer and spaces', () => ['Authorization: Bearer    '], 401],
  ['H-06 several spaces', (key) => [`Authorization: Bearer   ${key}`], 200],
  ['H-07 a tab', (key) => [`Authorization: Bearer\t${key}`], 401],
  ['H-08 a glued scheme', (key) => [`Authorization: Bearer${key}`], 401],
  ['H-08 a scheme with a colon', (key) => [`Authorization: Bearer:${key}`], 401],
  ['H-08 a scheme with =', (key) => [`Authorization: Bearer=${key}`], 401],
  ['H-09 a second word', (key) => [`Authorization: Bearer ${key} extra`], 401],
  ['H-10 a comma after the key', (key) => [`Authorization: Bearer ${key},`], 400],
  ['H-10 two in one line', (key, other) => [`Authorization: Bearer ${key}, Bearer ${other}`], 400],
  ['H-11 a quoted key', (key) => [`Authorization: Bearer "${key}"`], 401],
  ['H-11 a parameter', (key) => [`Authorization: Bearer token="${key}"`], 401],
  ['H-13 two lines, the second good', (key) => ['Authorization: Bearer x', `Authorization: Bearer ${key}`], 400],
  ['H-13 two lines, the first good', (key) => [`Authorization: Bearer ${key}`, 'Authorization: Bearer x'], 400],
  ['H-14 two lines alike', (key) => [`Authorization: Bearer ${key}`, `authorization: Bearer ${key}`], 400],
  ['H-15 two X-API-Key, the first good', (key, other) => [`X-API-Key: ${key}`, `X-API-Key: ${other}`], 400],
  ['H-15 two X-API-Key alike', (key) => [`X-API-Key: ${key}`, `x-api-key: ${key}`], 400],
  ['H-15 two X-API-Key, the first empty', (key) => ['X-API-Key:', `X-API-Key: ${key}`], 400],
  ['H-16 a comma', (key, other) => [`X-API-Key: ${key}, ${other}`], 400],
  ['H-20 one key in both headers', (key) => [`Authorization: Bearer ${key}`, `X-API-Key: ${key}`], 200],
  ['H-20 a foreign one beside ours', (key) => ['Authorization: Bearer sk-x', `X-API-Key: ${key}`], 200],
  ['H-21 two keys of ours', (key, other) => [`Authorization: Bearer ${key}`, `X-API-Key: ${other}`], 400],
  ['H-26 a superfluous secret', (key) => [`X-API-Key: ${key}`, 'X-API-Secret: x'], 200],
  ['H-28 Basic', () => ['Authorization: Basic YTpi'], 401],
  ['H-30 Proxy-Authorization', (key) => [`Proxy-Authorization: Bearer ${key}`], 401],
  ['H-32 X_API_Key', (key) => [`X_API_Key: ${key}`], 401],
  ['H-32 a space before the colon', (key) => [`X-API-Key : ${key}`], 400],
  ['H-32 other letters', (key) => [`x-ApI-kEY: ${key}`], 200],
  ['H-33 __proto__', (key) => ['__proto__: x', 'constructor: x', `X-API-Key: ${key}`], 200],
  ['H-33 hasOwnProperty alone', () => ['hasOwnProperty: x', 'toString: x'], 401],
  ['H-35 a NUL', (key) => [`X-API-Key: ${key}\0`], 400],
  ['H-36 a tab in the key', (key) => [`X-API-Key: ${key}\tB`], 401],
  ['H-38 a folded line', (key) => [`X-API-Key: ${key}\r\n B`], 400],
  ['H-40 a byte beyond ASCII', (key) => [`X-API-Key: ${key}\xe9`], 401],
  ['H-41 UTF-8', (key) => [`X-API-Key: ${key}\xef\xbc\xa1`], 401],
  ['H-46 1000 headers before the key', (key) => [...fillers(1000), `X-API-Key: ${key}`], 400, 431],
  ['H-46 1000 headers after the key', (key) => [`X-API-Key: ${key}`, ...fillers(1000)], 400, 431],
  ['H-46 990 headers before the key', (key) => [...fillers(990), `X-API-Key: ${key}`], 200],
  ['H-52 markers', () => ['X-Apikey-Verified: 1', 'X-Consumer-Id: 1', 'X-Middleware-Subrequest: 1'], 401],
  ['F-15 an encoded key', (key) => [`X-API-Key: %62${key.slice(1)}`], 401],
]

for (const framework of OVER_SOCKETS) {
  describe(`H. Header bytes, ${framework.name}`, () => {
    async function open() {
      const keys = createApiKeys({ prefix: 'byt_' })
      let reached = 0
      const bound = await framework.open(keys, undefined, () => ++reached)
      const [key, other] = await Promise.all([keys.create({ owner: 'acct_1' }), keys.create({ owner: 'acct_1' })])
      return { bound, key: key.key, other: other.key, reached: () => reached }
    }

    for (const [name, lines, ...statuses] of CASES) {
      it(name, async () => {
        const { bound, key, other, reached } = await open()
        const answer = await ask(framework, bound, lines(key, other))
        expect(statuses).toContain(answer.status)
        expect(reached()).toBe(answer.status === 200 ? 1 : 0)
        expect(JSON.stringify(answer)).not.toContain(key.slice(-30))
      })
    }

    it('H-49 a key in a trailer is none', async () => {
      const { bound, key, reached } = await open()
      const head = ['Content-Type: text/plain', 'Transfer-Encoding: chunked', 'Trailer: X-API-Key']
      const lines = [...head, '', '0', `X-API-Key: ${key}`]
      expect((await ask(framework, bound, lines, { method: 'POST' })).status).toBe(401)
      expect(reached()).toBe(0)
    })

    it('T-09 every invalid key has the same answer', async () => {
      const { bound, key } = await open()
      const [unknown] = await unknownKeys('byt_', 1)
      const sent = [unknown?.key ?? '', `${key}x`, 'byt_', 'nonsense', key.slice(0, -1)]
      const answers = await Promise.all(sent.map((text) => ask(framework, bound, [`X-API-Key: ${text}`])))
      const wire = answers.map(({ lines, body }) => [...lines, body].join('\n').replaceAll(/req_[0-9a-f]{32}/g, ''))
      expect(new Set(wire).size).toBe(1)
    })

    it.each(['evil@good', 'evil.example:99999', '[::1', 'a b'])('N-17 decides nothing by the Host %j', async (host) => {
      const { bound, key, reached } = await open()
      const send = (line: string) =>
        raw(bound.port, ['GET / HTTP/1.1', `Host: ${host}`, 'Connection: close', line, '', ''].join('\r\n'))
      const [without, withKey] = [await send('X-Nothing: x'), await send(`X-API-Key: ${key}`)]
      expect([400, 401]).toContain(without.status)
      expect([200, 400]).toContain(withKey.status)
      expect(reached()).toBe(withKey.status === 200 ? 1 : 0)
    })
  })
}

import express from 'express'
import { createApiKeys, type RequestFacts } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { judged } from '../support/outcome.ts'
import { headerMap, type Line, PLACES } from '../support/places.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { openSite } from '../support/site.ts'

const MISSING = '401 missing_credentials'

/** What adapters and serverless events have been seen to give in place of text. */
const NO_TEXT = [
  ['a number', 42],
  ['a bigint', 42n],
  ['true', true],
  ['an object', { value: 'x' }],
  ['an object that turns into text', { toString: () => 'x' }],
  ['a Buffer', Buffer.from('x')],
  ['a String object', Object('x')],
  ['a function', () => 'x'],
  ['a symbol', Symbol('x')],
  ['a list in a list', [['x']]],
] as const

describe.each(PLACES)('H. Header parsing: values and names of $name', ({ pair, lines, header }) => {
  it.each(NO_TEXT)('H-18 refuses %s', async (_, value) => {
    const keys = createApiKeys({ prefix: 'agk_live_', pair })
    const map = headerMap(lines(await keys.create({ owner: 'acct_1' })))
    const changed = { ...map, [header.toLowerCase()]: value }
    expect(await judged(keys, { headers: changed })).toBe('ambiguous_credentials')
    // What no type allows arrives all the same, from adapters that are written in JavaScript.
    const rawHeaders = Object.entries(changed).flat() as string[]
    expect(await judged(keys, { rawHeaders })).toBe('ambiguous_credentials')
  })

  it.each([null, undefined])('H-18 takes %s for an absent header', async (value) => {
    const keys = createApiKeys({ prefix: 'agk_live_', pair })
    const map = headerMap(lines(await keys.create({ owner: 'acct_1' })))
    const verdict = await judged(keys, { headers: { ...map, [header.toLowerCase()]: value } })
    expect(verdict).toBe(pair ? 'incomplete_credentials' : 'missing_credentials')
  })

  it('H-32 finds the header in any case', async () => {
    const { send, issue } = await openSite({ keys: { pair } })
    const issued = lines(await issue())
    for (const spell of [
      (name: string) => name.toLowerCase(),
      (name: string) => name.toUpperCase(),
      (name: string) => name.replace('API', 'Api'),
    ]) {
      expect(await send(issued.map(([name, value]): Line => [spell(name), value]))).toBe('admitted')
    }
  })

  it('H-32 takes no other name for it', async () => {
    const { send, issue } = await openSite({ keys: { pair } })
    const issued = lines(await issue())
    for (const spell of [
      (name: string) => name.replaceAll('-', '_'),
      (name: string) => name.replaceAll('-', ''),
      (name: string) => `X-${name}`,
      (name: string) => `${name}s`,
    ]) {
      const renamed = issued.map(([name, value]): Line => [spell(name), value])
      if (renamed.some(([name], i) => name === issued[i]?.[0])) continue
      expect(await send(renamed)).toBe(MISSING)
    }
  })

  it('H-32 the parser refuses a space before the colon', async () => {
    const { send, issue } = await openSite({ keys: { pair } })
    expect(await send(lines(await issue()).map(([name, value]): Line => [`${name} `, value]))).toBe('400')
  })

  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__', 'get'])(
    'H-33 a header named %s changes nothing',
    async (name) => {
      const { send, issue } = await openSite({ keys: { pair } })
      const issued = lines(await issue())
      for (const value of ['x', 'authorization', '[object Object]']) {
        expect(await send([[name, value], ...issued, [name, value]])).toBe('admitted')
        expect(await send([[name, value]])).toBe(MISSING)
      }
    },
  )
})

describe('H. Header parsing: what is never touched', () => {
  it.each(['headersDistinct', 'trailers', 'trailersDistinct', 'rawTrailers', 'url', 'query', 'cookies', 'body'])(
    'H-33 request.%s is not read',
    async (property) => {
      const keys = createApiKeys({ prefix: 'agk_live_' })
      const { key } = await keys.create({ owner: 'acct_1' })
      const app = express()
      app.use((req, res) => {
        let read = false
        const get = () => {
          read = true
        }
        Object.defineProperty(req, property, { configurable: true, get })
        guard(keys)(req, res, () => void res.end(`read: ${read}`))
      })
      const { port } = await serve(app)
      expect((await raw(port, request())).status).toBe(401)
      expect((await raw(port, request([`X-API-Key: ${key}`]))).body).toBe('read: false')
    },
  )

  it('H-33 a header is never found on the prototype of a map', async () => {
    const keys = createApiKeys({ prefix: 'agk_live_' })
    const { key } = await keys.create({ owner: 'acct_1' })
    const headers = Object.create({ 'x-api-key': key, authorization: `Bearer ${key}` })
    expect(await judged(keys, { headers })).toBe('missing_credentials')
  })

  it.each([
    ['nothing', {}],
    ['null headers', { headers: null }],
    ['text as headers', { headers: 'x-api-key: x' }],
    ['null raw headers', { rawHeaders: undefined, headers: null }],
    ['a name without a value', { rawHeaders: ['x-api-key'] }],
    ['names that are no text', { rawHeaders: [null, 'x', 7, 'x'] }],
  ])('H-18 facts with %s are a request without a credential', async (_, facts) => {
    const keys = createApiKeys({ prefix: 'agk_live_' })
    expect(await judged(keys, facts as unknown as RequestFacts)).toBe('missing_credentials')
  })

  it.each([null, undefined, 0, 42, true, Symbol('x')])('H-18 %s in place of a credential is refused', async (given) => {
    const keys = createApiKeys({ prefix: 'agk_live_' })
    expect(await judged(keys, given as unknown as string)).toMatch(/^(missing_credentials|invalid_key)$/)
  })

  it.each([[0], [42], [true], [{}], [[]], [['x']], [Buffer.from('x')]])('H-18 { key: %j } is refused', async (key) => {
    const keys = createApiKeys({ prefix: 'agk_live_' })
    expect(await judged(keys, { key: key as unknown as string })).toBe('invalid_key')
  })
})

describe('H. Header parsing: marks that only a gateway should set', () => {
  const MARKS = [
    'x-apikey-verified',
    'x-api-key-verified',
    'x-consumer-id',
    'x-consumer-username',
    'x-tenant-id',
    'x-owner',
    'x-authenticated',
    'x-middleware-subrequest',
  ]

  it.each(MARKS)('H-52 %s gives no identity and changes none', async (name) => {
    const { send, issue, judge, port } = await openSite()
    const { key } = await issue()
    for (const value of ['true', '1', 'acct_2', 'middleware:middleware:middleware:middleware:middleware']) {
      expect(await send([[name, value]])).toBe(MISSING)
      expect(
        await send([
          [name, value],
          ['X-API-Key', 'agk_live_x'],
        ]),
      ).toBe('401 invalid_key')
      const answer = await raw(port, request([`${name}: ${value}`, `X-API-Key: ${key}`]))
      expect(judge(answer)).toBe('admitted')
      expect(answer.body).toBe('{"owner":"acct_1"}')
    }
  })

  it('H-52 an identity that something before the guard put on the request does not outlive the guard', async () => {
    const keys = createApiKeys({ prefix: 'agk_live_' })
    const app = express()
    app.use((req, _res, next) => {
      Object.assign(req, { apiKey: { owner: 'admin', can: () => true } })
      next()
    })
    app.use(guard(keys, { optional: true }), (req, res) => void res.json({ identity: req.apiKey ?? null }))
    const { port } = await serve(app)
    expect((await raw(port, request())).body).toBe('{"identity":null}')
  })
})

import diagnostics from 'node:diagnostics_channel'
import express from 'express'
import { type ApiKeysOptions, type Created, createApiKeys, type DenialCode, type KeyEvent } from 'keyward'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { serveGuarded } from '../support/guarded.ts'
import { raw, request } from '../support/raw.ts'
import { CODES, REFUSALS, type Scene } from '../support/refusals.ts'

/** Hears all that a program and its operator are told beside the answer: events, channels, the console and warnings. */
function listen() {
  const told: string[] = []
  const keep = (value: unknown) => void told.push(typeof value === 'string' ? value : JSON.stringify(value))
  const channels = ['keyward:denied', 'keyward:fault', 'keyward:admitted']
  for (const name of channels) diagnostics.subscribe(name, keep)
  const warned = (warning: Error) => keep(String(warning.stack))
  process.on('warning', warned)
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
    vi.spyOn(stream, 'write').mockImplementation((...args: unknown[]) => {
      keep(String(args[0]))
      return write(...args)
    })
  }
  for (const name of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) {
    vi.spyOn(console, name).mockImplementation((...args) => keep(args.map(String).join(' ')))
  }
  onTestFinished(() => {
    for (const name of channels) diagnostics.unsubscribe(name, keep)
    process.removeListener('warning', warned)
    vi.restoreAllMocks()
  })
  return { told, keep, options: { onEvent: (event: KeyEvent) => keep(event) } satisfies Partial<ApiKeysOptions> }
}

/** What is told of a request: by the guard in its answer, by `verify`, and by `explain`. */
async function tellAll(scene: Scene, keep: (value: unknown) => void): Promise<number> {
  const { keys, demand, lines } = scene
  const pairs = lines.map((line): [string, string] => [
    line.slice(0, line.indexOf(':')),
    line.slice(line.indexOf(':') + 1),
  ])
  const facts = { rawHeaders: pairs.flatMap(([name, value]) => [name, value.trim()]), peer: '127.0.0.1' }
  keep(await keys.explain(facts, demand as never))
  const { port, reached } = await serveGuarded(express, keys, demand)
  const answer = await raw(port, request(lines))
  keep([answer.lines, answer.body])
  keep(await keys.verify(facts, demand as never))
  expect(reached).toEqual([])
  return answer.status
}

/** Any ten characters of what is secret in a key are too many: its last 38 are the secret and the checksum. */
function leaked(told: readonly string[], { key, secret = key }: Created): readonly string[] {
  const all = told.join('\n')
  const hidden = secret.slice(-38)
  return Array.from({ length: 29 }, (_, i) => hidden.slice(i, i + 10)).filter((part) => all.includes(part))
}

const FORMS: Readonly<Record<string, (line: string) => string>> = {
  'X-API-Key': (line) => line,
  Bearer: (line) => line.replace(/^X-API-Key: /, 'Authorization: Bearer '),
}

describe.each(Object.keys(FORMS))('G-01: a refused key that came as %s is told to nobody', (form) => {
  it.each(CODES)('where it is %s', async (code: DenialCode) => {
    const { told, keep, options } = listen()
    const scene = await REFUSALS[code](options)
    const write = FORMS[form] ?? String
    const status = await tellAll({ ...scene, lines: scene.lines.map(write) }, keep)
    expect(status).toBeGreaterThanOrEqual(400)
    // So all of them were heard. A pair is not read as a bearer token at all.
    const said = code === 'incomplete_credentials' && form === 'Bearer' ? 'missing_credentials' : code
    expect(told.filter((line) => line.includes(`"${said}"`)).length).toBeGreaterThanOrEqual(4)
    expect(leaked(told, scene.created)).toEqual([])
  })
})

describe('G-01: a key that stands where none can be read, or is broken, is told to nobody', () => {
  it.each<readonly [string, (key: string, secret: string) => readonly string[]]>([
    ['with a mistyped checksum', (key) => [`X-API-Key: ${key.slice(0, -1)}${key.endsWith('a') ? 'b' : 'a'}`]],
    ['with something behind it', (key) => [`Authorization: Bearer ${key}x`]],
    ['twice in one line', (key) => [`X-API-Key: ${key}, ${key}`]],
    ['in two lines that differ', (key) => [`X-API-Key: ${key}`, `Authorization: Bearer ${key}x`]],
    ['between quotes', (key) => [`X-API-Key: "${key}"`]],
    ['with bytes that are no text', (key) => [`X-API-Key: ${key}\xff\xfe`]],
    ['under another scheme', (key) => [`Authorization: Basic ${Buffer.from(`${key}:`).toString('base64')}`]],
    ['without a scheme', (key) => [`Authorization: ${key}`]],
    ['as the scheme', (key) => [`Authorization: ${key} Bearer`]],
    ['in a cookie and another header', (key) => [`Cookie: key=${key}`, `X-Key: ${key}`]],
    ['as half of a pair, whose other half is missing', (_, secret) => [`X-API-Secret: ${secret}`]],
    ['as a pair that is exchanged', (key, secret) => [`X-API-Key: ${secret}`, `X-API-Secret: ${key}`]],
    ['as a pair with something behind it', (key, secret) => [`X-API-Key: ${key}`, `X-API-Secret: ${secret}x`]],
    ['as a pair in one line', (key, secret) => [`X-API-Key: ${key}:${secret}`]],
    ['a hundred times', (key) => [`X-API-Key: ${key.repeat(100)}`]],
  ])('%s', async (_, write) => {
    const { told, keep, options } = listen()
    const keys = createApiKeys({ prefix: 'ref_', pair: write.length === 2, ...options })
    const created = await keys.create({ owner: 'acct_1' })
    const base = Buffer.from(`${created.key}:`).toString('base64')
    const lines = write(created.key, created.secret ?? '')
    const status = await tellAll({ keys, created, lines, demand: {}, clock: undefined as never }, keep)
    expect([400, 401]).toContain(status)
    expect(told.length).toBeGreaterThanOrEqual(4)
    expect(leaked(told, created)).toEqual([])
    expect(told.join('\n')).not.toContain(base.slice(24, 40))
  })

  it('and it would be found', async () => {
    const { told, keep } = listen()
    const created = await createApiKeys({ prefix: 'ref_' }).create({ owner: 'acct_1' })
    console.error(`refused ${created.key.slice(0, -20)}`)
    keep('')
    expect(leaked(told, created).length).toBeGreaterThan(0)
  })
})

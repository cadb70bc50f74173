import { bearer, createApiKeys, header, pair } from 'keyward'
import { mount as mountExpress, guard as onExpress } from 'keyward/express'
import { mount as mountFastify } from 'keyward/fastify'
import { mount as mountFetch, guard as onFetch } from 'keyward/fetch'
import { mount as mountHono } from 'keyward/hono'
import { mount as mountKoa } from 'keyward/koa'
import { KeywardModule } from 'keyward/nest'
import { closeWhenRevoked, mount as mountNode, guard as onNode, refuse } from 'keyward/node'
import { describe, expect, it } from 'vitest'
import { NESTS, packagesOf } from '../support/nest.ts'
import { failure } from '../support/outcome.ts'

// They bring what keyward/nest needs.
for (const kind of NESTS) await packagesOf(kind)

const keys = createApiKeys({ prefix: 'mi_' })
const handler = () => new Response('reached')
const call = (verb: unknown, ...given: unknown[]) => (verb as (...given: unknown[]) => unknown)(...given)
const connection = { on: () => {}, off: () => {}, once: () => {}, destroy: () => {} }

describe('a mistake is CONFIG and tells what to write', () => {
  it.each<[string, () => unknown, ...string[]]>([
    [
      'refuse() of a guard that is not awaited',
      () => call(refuse, {}, onNode(keys)({ rawHeaders: [], socket: connection } as never)),
      'refuse',
      'await it',
    ],
    ['refuse() of nothing', () => call(refuse, {}), 'keyward/node'],
    ['guard() of keyward/fetch without a demand', () => call(onFetch, keys, handler), 'guard(keys, demand, handler)'],
    ['mount() of keyward/express with a path', () => call(mountExpress, '/keys', handler), "app.use('/keys', mount(h"],
    ['mount() of keyward/fastify with a path', () => call(mountFastify, '/keys', handler), "{ prefix: '/keys' }"],
    ['mount() of keyward/node with a path', () => call(mountNode, '/keys', handler), 'createServer(mount(handler))'],
    ['mount() of keyward/koa without one', () => call(mountKoa, handler), 'mount(path, handler)', "'/keys'"],
    ['mount() of keyward/koa without a handler', () => call(mountKoa, '/keys'), "app.use(mount('/keys', handler))"],
    ['mount() of keyward/hono without a handler', () => call(mountHono, '/keys'), "app.use(mount('/keys', handler))"],
    ['mount() of keyward/fetch without a handler', () => call(mountFetch, '/keys'), "mount('/keys', handler)"],
    ['header() without a name', () => call(header), 'header(name)', 'undefined is no header name', "'x-api-key'"],
    ['pair() with one name', () => call(pair, 'a'), 'pair(keyHeader, secretHeader)', 'undefined is no header name'],
    [
      'an answer of no code',
      () => createApiKeys({ prefix: 'mi_', answers: { nope: {} } as never }),
      'createApiKeys: answers.nope',
    ],
    [
      'answers that are none',
      () => createApiKeys({ prefix: 'mi_', answers: 5 as never }),
      'createApiKeys: answers must',
    ],
    [
      'an answer of a demand of no code',
      () => onExpress(keys, { answers: { nope: {} } as never }),
      'demand: answers.nope',
    ],
    ['answers of a demand that are none', () => onExpress(keys, { answers: 5 as never }), 'demand: answers must'],
    ['forRoot() with the keys alone', () => KeywardModule.forRoot(keys as never), 'forRoot({ keys })'],
    ['forRoot() with a list of keys', () => KeywardModule.forRoot([keys] as never), 'forRoot({ keys })'],
    [
      'an option of closeWhenRevoked() that is none',
      () => call(closeWhenRevoked, keys, undefined, connection, { evry: '1s' }),
      '{ every? }',
      'evry',
    ],
    [
      'options of closeWhenRevoked() that are none',
      () => call(closeWhenRevoked, keys, undefined, connection, null),
      '{ every? }',
      'null',
    ],
    ['an option of bearer() that is none', () => call(bearer, { foreign: true }), 'bearer()'],
  ])('%s', async (_, act, ...told) => {
    const { code, message } = await failure(act)
    expect(code).toBe('CONFIG')
    for (const text of told) expect(message).toContain(text)
  })
})

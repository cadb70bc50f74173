import { describe, expect, it } from 'vitest'
import { consumer } from './consumer.ts'

/**
 * A program that has loaded both copies of the package, as happens when one of its dependencies is CJS and another is
 * ESM. It serves on every port that it opens, asks itself, and prints what came of it as JSON.
 */
const PROGRAM = `
  import { createRequire } from 'node:module'
  import { once } from 'node:events'
  import * as esm from 'keyward'
  import { guard as esmGuard } from 'keyward/express'
  import express5 from 'express'
  const require = createRequire(import.meta.url)
  const express = process.argv[2] === '4' ? require('express4') : express5
  const cjs = require('keyward')
  const { guard: cjsGuard } = require('keyward/express')
  const told = { twoCopies: esm.createApiKeys !== cjs.createApiKeys && esmGuard !== cjsGuard }

  async function ask(app, key) {
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const headers = key === undefined ? {} : { authorization: 'Bearer ' + key }
    const response = await fetch('http://127.0.0.1:' + server.address().port, { headers })
    const body = await response.json()
    server.close()
    return [response.status, body.code ?? body, response.headers.get('ratelimit')?.match(/r=\\d+/)[0]]
  }

  for (const [name, { createApiKeys }, guard] of [['esmKeys', esm, cjsGuard], ['cjsKeys', cjs, esmGuard]]) {
    const keys = createApiKeys({ prefix: 'two_', scopes: { contacts: ['read', 'delete'] } })
    const { key, record } = await keys.create({ owner: 'acct_1', scopes: ['contacts:read'], limits: { minute: 9 } })
    const show = (req, res) => res.json([req.apiKey.owner, keys.of(req).owner, keys.of(req) === req.apiKey])
    const reads = { scopes: ['contacts:read'] }
    told[name] = {
      anonymous: await ask(express().use(guard(keys)).get('/', show)),
      admitted: await ask(express().use(guard(keys, reads)).get('/', show), key),
      refused: await ask(express().use(guard(keys, { scopes: ['contacts:delete'] })).get('/', show), key),
      bothGuards: await ask(express().use(esmGuard(keys), cjsGuard(keys, reads), esmGuard(keys)).get('/', show), key),
      optionalAfter: await ask(express().use(esmGuard(keys), cjsGuard(keys, { optional: true })).get('/', show), key),
      config: codeOf(() => guard(keys, { scopes: ['contacts:raed'] })),
      revoked: (await keys.revoke(record.id), await ask(express().use(guard(keys)).get('/', show), key)),
    }
  }

  const one = esm.createApiKeys({ prefix: 'one_' })
  const other = cjs.createApiKeys({ prefix: 'other_' })
  const show = (req, res) => res.json(req.apiKey.prefix)
  told.lists = []
  for (const keys of [one, other]) {
    const { key } = await keys.create({ owner: 'acct_1' })
    told.lists.push(await ask(express().use(esmGuard([one, other])).get('/', show), key))
    told.lists.push(await ask(express().use(cjsGuard([one, other])).get('/', show), key))
  }
  const store = esm.memoryStore()
  const [here, there] = [esm, cjs].map(({ createApiKeys }) => createApiKeys({ prefix: 'one_', store, cache: { maxLag: '1s' } }))
  const made = await here.create({ owner: 'acct_1' })
  told.neighbours = [(await there.verify(made.key)).ok]
  await here.revoke(made.record.id)
  told.neighbours.push((await there.verify(made.key)).code)
  told.clash = [esmGuard, cjsGuard].map((guard) => codeOf(() => guard([one, cjs.createApiKeys({ prefix: 'one_two_' })])))
  console.log(JSON.stringify(told))

  function codeOf(act) {
    try {
      act()
      return 'nothing'
    } catch (error) {
      return error.code
    }
  }`

const OF_ONE_KIND = {
  anonymous: [401, 'missing_credentials', null],
  admitted: [200, ['acct_1', 'acct_1', true], 'r=8'],
  refused: [403, 'insufficient_scope', null],
  bothGuards: [200, ['acct_1', 'acct_1', true], 'r=7'],
  optionalAfter: [200, ['acct_1', 'acct_1', true], 'r=6'],
  config: 'CONFIG',
  revoked: [401, 'revoked', null],
}

describe('N-19 the ESM and the CJS copy in one program', () => {
  it.each(['5', '4'])('a guard of one works with the keys of the other, on Express %s', (major) => {
    const project = consumer(['express', 'express4'])
    project.write('two-copies.mjs', PROGRAM)
    const told = JSON.parse(project.node('two-copies.mjs', major)) as Record<string, unknown>
    expect(told).toEqual({
      twoCopies: true,
      esmKeys: OF_ONE_KIND,
      cjsKeys: OF_ONE_KIND,
      lists: [
        [200, 'one_', null],
        [200, 'one_', null],
        [200, 'other_', null],
        [200, 'other_', null],
      ],
      neighbours: [true, 'revoked'],
      clash: ['CONFIG', 'CONFIG'],
    })
  })
})

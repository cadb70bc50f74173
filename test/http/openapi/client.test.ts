import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import SwaggerParser from '@apidevtools/swagger-parser'
import express from 'express'
import { createApiKeys, memoryStore } from 'keyward'
import { mount } from 'keyward/express'
import { auditLog, management } from 'keyward/management'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serve } from '../../support/serve.ts'
import { clientAt } from './client.ts'

const run = promisify(execFile)
const FILE = 'docs/openapi.json'
const TYPES = 'test/http/management-paths.d.ts'
const written: unknown = JSON.parse(readFileSync(FILE, 'utf8'))
const BIN = 'node_modules/.bin'

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'keyward-openapi-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

/** Every operation of the document, by the name that it has there. */
function operationIds(): readonly string[] {
  const { paths } = written as { readonly paths: Record<string, Record<string, { readonly operationId: string }>> }
  return Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId))
}

describe('docs/openapi.json', () => {
  it('is what `npm run openapi` writes now', async () => {
    const file = join(folder(), 'openapi.json')
    await run(`${BIN}/tsx`, ['examples/openapi.ts', file])
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(written)
  }, 60_000)

  it('has nothing that redocly finds wrong', async () => {
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
    const { stdout, stderr } = await run(`${BIN}/redocly`, ['lint', FILE, '--format=summary', '--max-problems=50'], {
      env,
    })
    expect(`${stdout}${stderr}`).toContain('is valid')
    expect(`${stdout}${stderr}`).not.toMatch(/\b[1-9]\d* (warning|error)/)
  }, 60_000)

  it('is valid to swagger-parser, which follows every reference', async () => {
    const api = await SwaggerParser.validate(structuredClone(written) as never)
    expect(Object.keys(api.paths ?? {})).toContain('/{id}/usage')
  })
})

describe('a client that openapi-typescript made of the document', () => {
  it('is that of the document as it is now', async () => {
    const file = join(folder(), 'paths.d.ts')
    await run(`${BIN}/openapi-typescript`, [FILE, '-o', file])
    await run(`${BIN}/biome`, ['format', '--write', '--config-path=.', file])
    // Not shown where they differ: they are long.
    expect(readFileSync(file, 'utf8') === readFileSync(TYPES, 'utf8')).toBe(true)
  }, 60_000)

  it('drives every route', async () => {
    const store = memoryStore()
    const audit = auditLog(store)
    const keys = createApiKeys({ prefix: 'oc_', store, onEvent: audit.onEvent, limits: { default: { minute: 9 } } })
    const routes = management(keys, { authorize: () => ({ owner: 'acct_1', actor: 'user_7' }), path: '/keys', audit })
    const { url } = await serve(express().use('/keys', mount(routes)))
    const call = clientAt(`${url}/keys`)
    const driven: string[] = []
    const done = <T>(name: string, answer: T): T => {
      driven.push(name)
      return answer
    }

    const body = { name: 'Sync', scopes: ['a:read'], limits: { hour: 100 }, credits: { remaining: 5 } }
    const made = done('createKey', await call('post', '/', { header: { 'Idempotency-Key': 'once' }, body }))
    if (made.status !== 201) throw new Error('it was made before')
    const { key, record } = made.body
    const path = { id: record.id }
    const read = done('readKey', await call('get', '/{id}', { path }))
    expect(read.body.record.name).toBe('Sync')
    const header = { 'If-Match': read.etag ?? '' }
    const changed = done(
      'updateKey',
      await call('patch', '/{id}', { path, header, body: { name: null, description: 'x' } }),
    )
    expect([changed.body.record.name, changed.body.record.description]).toEqual([undefined, 'x'])
    const listed = done('listKeys', await call('get', '/', { query: { status: 'active', limit: 5 } }))
    expect(listed.body.items.map(({ id }) => id)).toEqual([record.id])
    const { usage } = done('readUsage', await call('get', '/{id}/usage', { path })).body
    expect(usage.readings.map(({ name, remaining }) => [name, remaining])).toEqual([
      ['minute', 9],
      ['hour', 100],
    ])
    expect(usage.balance).toBe(5)
    const rotated = done('rotateKey', await call('post', '/{id}/rotate', { path, body: { overlap: '1h' } }))
    expect(rotated.body.key).not.toBe(key)
    expect(done('disableKey', await call('post', '/{id}/disable', { path })).body.record.status).toBe('disabled')
    expect(done('enableKey', await call('post', '/{id}/enable', { path })).body.record.status).toBe('active')
    const own = clientAt(`${url}/keys`, { authorization: `Bearer ${rotated.body.key}` })
    const self = done('readSelf', await own('get', '/self', {}))
    expect([self.body.record.id, self.body.usage.balance]).toEqual([record.id, 5])
    expect(done('endSelf', await own('delete', '/self', {})).status).toBe(204)
    const ended = done('revokeKey', await call('post', '/{id}/revoke', { path, body: { reason: 'again' } }))
    expect(ended.body.record.revokedReason).toBe('ended by the key itself')
    expect(done('removeKey', await call('delete', '/{id}', { path })).status).toBe(204)
    const told = done('listAudit', await call('get', '/audit', { query: { key: record.id, limit: 50 } }))
    expect(told.body.items.map(({ type }) => type)).toEqual([
      'removed',
      'revoked',
      'enabled',
      'disabled',
      'rotated',
      'updated',
      'created',
    ])
    expect(told.body.items[5]?.before?.name).toBe('Sync')
    done('readDocument', await call('get', '/openapi.json', {}))
    expect(driven.sort()).toEqual([...operationIds()].sort())
  })
})

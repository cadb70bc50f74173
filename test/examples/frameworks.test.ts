import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ApiKeys } from 'keyward'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { importOf } from '../support/nest.ts'

const NAMES = readdirSync('examples/frameworks').map((file) => file.replace('.ts', ''))

interface Example {
  readonly keys: ApiKeys
  readonly server: Server
}

const PORT = process.env.PORT
beforeAll(() => {
  process.env.PORT = '0'
})
afterAll(() => {
  if (PORT === undefined) delete process.env.PORT
  else process.env.PORT = PORT
})

it('there is an example for each framework', () => {
  expect(NAMES.sort()).toEqual(['express', 'fastify', 'fetch', 'hono', 'koa', 'nest', 'node'])
})

/** What the first answered, which every other answers too. */
const first: { wire?: unknown } = {}

describe.each(NAMES)('the example %s', (name) => {
  let example: Example
  let url: string

  beforeAll(async () => {
    if (name === 'nest') await importOf('12', '@nestjs/core') // says what to type where it is not there
    example = await import(`../../examples/frameworks/${name}.ts`)
    if (!example.server.listening) await once(example.server, 'listening')
    url = `http://127.0.0.1:${(example.server.address() as AddressInfo).port}`
  })

  afterAll(() => {
    example.server.closeAllConnections()
    example.server.close()
  })

  const ask = async (path: string, key?: string, method = 'GET') => {
    const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const response = await fetch(url + path, { method, headers })
    const text = (await response.text()).replaceAll(/req_[0-9a-f]{32}/g, 'req_')
    return [response.status, response.headers.get('content-type')?.split(';')[0], text]
  }

  it('is short, and imports what a user can', () => {
    const source = readFileSync(`examples/frameworks/${name}.ts`, 'utf8')
    expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(40)
    expect(source).toContain(`from 'keyward/${name}'`)
    expect(source).not.toMatch(/from '\.|process\.argv|@ts-|biome-ignore/)
  })

  it('lets in who may come in, and answers all others as every other example does', async () => {
    const reader = await example.keys.create({ owner: 'acct_1', scopes: ['contacts:read'] })
    const janitor = await example.keys.create({ owner: 'acct_1', scopes: ['contacts:*'] })
    const wire = {
      health: (await ask('/health')).filter((_, i) => i !== 1),
      nobody: await ask('/contacts'),
      stranger: await ask('/contacts', 'demo_nonsense'),
      reader: await ask('/contacts', reader.key),
      mayNot: await ask('/contacts/7', reader.key, 'DELETE'),
      may: await ask('/contacts/7', janitor.key, 'DELETE'),
      revoked: (await example.keys.revoke(reader.record.id)) && (await ask('/contacts', reader.key)),
    }
    expect(wire).toMatchObject({
      health: [200, 'ok'],
      nobody: [401, 'application/problem+json', expect.stringContaining('missing_credentials')],
      reader: [200, 'application/json', '{"owner":"acct_1"}'],
      mayNot: [403, 'application/problem+json', expect.stringContaining('insufficient_scope')],
      may: [200, 'application/json', '{"deleted":"7"}'],
      revoked: [401, 'application/problem+json', expect.stringContaining('revoked')],
    })
    first.wire ??= wire
    expect(wire).toEqual(first.wire)
  })
})

describe('npm run example', () => {
  async function run(name: string): Promise<{ readonly code: number | null; readonly output: string }> {
    const env = { ...process.env, PORT: '0', NODE_OPTIONS: '' }
    const child = spawn(process.execPath, ['--import', 'tsx', 'examples/run.ts', name], { env })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk
        if (output.includes('Ctrl-C stops')) child.kill('SIGINT')
      })
    }
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, output }
  }

  it.each(['nest', 'mcp'])('%s serves, and says how to try it', async (name) => {
    const { output } = await run(name)
    expect(output).toMatch(name === 'mcp' ? /export URL=http:\S+ KEY=mcp_\w+\n/ : /curl -i http:\S+\/contacts -H/)
  })

  it('of a name that it does not know names those that it does', async () => {
    const { code, output } = await run('nonsense')
    expect(code).toBe(1)
    for (const name of [...NAMES, 'mcp', 'oya']) expect(output).toContain(name)
  })
})

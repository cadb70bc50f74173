import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { consumer } from './consumer.ts'

/** Drivers and frameworks that only an entry of their own may load, and only when it is used. */
const FOREIGN =
  /^(express|fastify|fastify-plugin|koa|hono|ws|@nestjs\/\w+|reflect-metadata|rxjs|libsql|node:sqlite|ioredis|kysely|@node-rs\/argon2|argon2)(\/|$)/

/** What the build brings along. */
const IN_THE_BUILD = /^(zod|lit)(\/|$)/

/** Prints each specifier that is asked for, found or not: a swallowed `try { await import('libsql') }` shows too. */
const HOOKS = `
  import { writeSync } from 'node:fs'
  export async function resolve(specifier, context, next) {
    writeSync(1, 'ask ' + specifier + '\\n')
    const found = await next(specifier, context)
    writeSync(1, 'load ' + found.url + '\\n')
    return found
  }`

/** The same for `require`, also by createRequire; Node's hooks do not see it. */
const TRACE = `
  import { writeSync } from 'node:fs'
  import Module, { register } from 'node:module'
  const load = Module._load
  Module._load = function (request, ...rest) {
    writeSync(1, 'ask ' + request + '\\n')
    return load.call(this, request, ...rest)
  }
  const resolveFilename = Module._resolveFilename
  Module._resolveFilename = function (...args) {
    const found = resolveFilename.apply(this, args)
    writeSync(1, 'load ' + found + '\\n')
    return found
  }
  register('./hooks.mjs', import.meta.url)`

const languages = [
  { language: 'import', flag: '--input-type=module', script: (name: string) => `import '${name}'` },
  { language: 'require', flag: '--input-type=commonjs', script: (name: string) => `require('${name}')` },
]

describe.each(languages)('$language', ({ flag, script }) => {
  const trace = (entry: string) => {
    const project = consumer(['express', 'fastify', 'koa', 'hono', 'libsql'])
    project.write('hooks.mjs', HOOKS)
    project.write('trace.mjs', TRACE)
    const lines = project.node('--import', './trace.mjs', flag, '-e', script(entry)).trim().split('\n')
    const told = (word: string) => lines.filter((line) => line.startsWith(word)).map((line) => line.slice(word.length))
    return { asked: told('ask '), loaded: told('load ').filter((path) => path.includes('/dist/')) }
  }

  it.each([
    'keyward',
    'keyward/express',
    'keyward/fastify',
    'keyward/koa',
    'keyward/hono',
    'keyward/fetch',
    'keyward/node',
    'keyward/nest',
    'keyward/testing',
    'keyward/sqlite',
    'keyward/sql',
    'keyward/redis',
    'keyward/management',
    'keyward/console',
  ])('%s loads no driver and no framework', (entry) => {
    const { asked } = trace(entry)
    expect(asked).toContain(entry)
    expect(asked.filter((specifier) => FOREIGN.test(specifier))).toEqual([])
    expect(asked.filter((specifier) => IN_THE_BUILD.test(specifier))).toEqual([])
  })

  it.each([
    ['keyward/express', 3],
    ['keyward/fastify', 3],
    ['keyward/koa', 3],
    ['keyward/node', 3],
    ['keyward/nest', 3],
    ['keyward/hono', 2],
    ['keyward/fetch', 2],
  ])('%s is %i files: a cold start pays for each', (entry, count) => {
    expect(new Set(trace(entry).loaded)).toHaveProperty('size', count)
  })

  it.each(['keyward', 'keyward/fetch', 'keyward/hono'])('%s loads no server', (entry) => {
    expect(trace(entry).asked.filter((specifier) => /^node:(http|https|http2|tls)$/.test(specifier))).toEqual([])
  })

  it('keyward/express loads none of zod, which keyward has in it', () => {
    const withZod = (entry: string) =>
      trace(entry).loaded.filter((path) => readFileSync(path.replace('file://', ''), 'utf8').includes('$ZodRegistry'))
    expect(withZod('keyward')).not.toEqual([])
    expect(withZod('keyward/express')).toEqual([])
  })
})

import { readFileSync } from 'node:fs'
import { createApiKeys } from 'keyward'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf } from './blocks.ts'
import { createProject } from './project.ts'

const section = /^## Logs and traces\n.*?(?=^## |$(?![\s\S]))/ms.exec(readFileSync('docs/operation.md', 'utf8'))?.[0]
const snippet = blocksOf(section ?? '').find(({ language }) => language === 'ts')?.code ?? ''
const pathsIn = (text: string) => [...text.matchAll(/req\.headers[\w.\-["\]]+/g)].map(([path]) => path)

/** Logs a request that came over a socket, in each way in which hosts do. */
const served = (lines: readonly (readonly [string, string])[]) => `
import { createServer, get } from 'node:http'
const server = createServer((req, res) => {
  logger.info({ req: pino.stdSerializers.req(req) }, 'as pino-http does')
  logger.child({ req: { headers: req.headers, rawHeaders: req.rawHeaders } }).warn('as a child of a logger')
  logger.info({ req }, 'as it is')
  res.end()
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number }
  get({ port, host: '127.0.0.1', headers: ${JSON.stringify(Object.fromEntries(lines))} }, () => process.exit())
})
`

const project = createProject()
let keys: readonly string[]

beforeAll(async () => {
  const plain = await createApiKeys({ prefix: 'log_' }).create({ owner: 'acct_1' })
  const pair = await createApiKeys({ prefix: 'two_', pair: true }).create({ owner: 'acct_1' })
  keys = [plain.key, pair.key, pair.secret ?? 'none']
  const lines = [
    ['Authorization', `Bearer ${plain.key}`],
    ['X-API-Key', pair.key],
    ['X-API-Secret', pair.secret ?? ''],
    ['User-Agent', 'a client'],
  ] as const
  project.write('configured.ts', snippet + served(lines))
  project.write('bare.ts', snippet.replace('pino({ redact, serializers })', 'pino()') + served(lines))
})
afterAll(() => project.remove())

describe('G-06 the configuration of pino in docs/operation.md', () => {
  it('hides both halves of a pair and a bearer key, in whichever way a request is logged', async () => {
    const printed = await project.run('configured.ts')
    for (const key of keys) expect(printed).not.toContain(key)
    expect(printed.match(/as pino-http does|as a child of a logger|as it is/g)).toHaveLength(3)
    expect(printed).toContain('a client')
  })

  it('is what hides them: without it each of these logs has them', async () => {
    const printed = (await project.run('bare.ts')).split('\n')
    for (const way of ['as pino-http does', 'as a child of a logger', 'as it is']) {
      const line = printed.find((each) => each.includes(`"msg":"${way}"`)) ?? ''
      expect(keys.filter((key) => !line.includes(key))).toEqual([])
    }
  })

  it('has the paths that SECURITY.md lists', () => {
    const listed = /## What is logged.*?```\n.*?```/s.exec(readFileSync('SECURITY.md', 'utf8'))?.[0] ?? ''
    expect(new Set(pathsIn(listed))).toEqual(new Set(pathsIn(snippet)))
    expect(pathsIn(snippet)).toHaveLength(3)
  })
})

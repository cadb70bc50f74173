import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { consumer } from './consumer.ts'

/** Serves the page as a user who has neither lit nor esbuild, and prints what it serves as JSON. */
const program = (get: (names: string, from: string) => string) => `(async () => {
  ${get('{ createApiKeys }', 'keyward')}
  ${get('{ consolePage }', 'keyward/console')}
  const page = consolePage(createApiKeys({ prefix: 'ap_' }), {
    authorize: () => ({ owner: 'acct_1' }),
    baseUrl: 'https://api.example.com',
  })
  const ask = (path, headers = {}) => page(new Request('http://localhost' + path, { headers }))
  const script = await (await ask('/keyward-console.js')).text()
  const zipped = await (await ask('/keyward-console.js', { 'accept-encoding': 'gzip' })).arrayBuffer()
  const html = await (await ask('/', { accept: 'text/html' })).text()
  console.log(JSON.stringify({ script, zipped: Buffer.from(zipped).toString('base64'), html }))
})()`

const languages = [
  {
    language: 'ESM',
    flag: '--input-type=module',
    get: (names: string, from: string) => `const ${names} = await import('${from}')`,
  },
  {
    language: 'CJS',
    flag: '--input-type=commonjs',
    get: (names: string, from: string) => `const ${names} = require('${from}')`,
  },
]

describe.each(languages)('an installed keyward/console, as $language', ({ flag, get }) => {
  it('serves the page and its script without lit and without anything that builds', () => {
    const told = JSON.parse(consumer().node(flag, '-e', program(get))) as Record<string, string>
    expect(told.html).toContain('<keyward-console lang="en">')
    expect(told.script).toContain('customElements.define')
    expect(told.script).not.toMatch(/\bimport\s*[{'"*]|\brequire\(/)
    expect(gunzipSync(Buffer.from(told.zipped ?? '', 'base64')).toString()).toBe(told.script)
  })
})

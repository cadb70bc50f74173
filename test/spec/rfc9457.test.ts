import type { DenialCode } from 'keyward'
import { describe, expect, it } from 'vitest'
import { EXPRESSES } from '../support/express.ts'
import { serveGuarded } from '../support/guarded.ts'
import { raw, request } from '../support/raw.ts'
import { CODES, REFUSALS } from '../support/refusals.ts'

for (const { name, express } of EXPRESSES) {
  describe(`RFC 9457, ${name}`, () => {
    /** The problem document of a refusal, once for each time asked. */
    async function problems(code: DenialCode, times = 1) {
      const { keys, demand, lines } = await REFUSALS[code]()
      const { port } = await serveGuarded(express, keys, demand)
      const asked = Array.from({ length: times }, () => raw(port, request([...lines, 'Accept: text/html'])))
      return (await Promise.all(asked)).map(({ status, headers, body }) => ({
        status,
        type: headers['content-type'],
        document: JSON.parse(body) as Record<string, unknown>,
      }))
    }

    it.each(CODES)(
      'section 3: %s is application/problem+json and a JSON object, whatever is accepted',
      async (code) => {
        const [problem] = await problems(code)
        expect(problem?.type).toBe('application/problem+json')
        expect(Object.prototype.toString.call(problem?.document)).toBe('[object Object]')
      },
    )

    it.each(CODES)('section 3.1: the members of %s are of the types that the RFC gives them', async (code) => {
      const [problem] = await problems(code)
      expect(problem?.document).toMatchObject({
        type: expect.any(String),
        title: expect.any(String),
        status: problem?.status,
        detail: expect.any(String),
      })
    })

    it.each(CODES)('section 3.1.1: the type of %s is an absolute URI', async (code) => {
      const [problem] = await problems(code)
      expect(String(problem?.document.type)).toMatch(/^[a-z][a-z0-9+.-]*:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=%-]+$/)
    })

    it('section 3.1.1: each problem has a type of its own', async () => {
      const types = await Promise.all(CODES.map(async (code) => (await problems(code))[0]?.document.type))
      expect(new Set(types).size).toBe(CODES.length)
    })

    it.each(CODES)('section 3.1.3: the title of %s is the same every time', async (code) => {
      const titles = (await problems(code, 3)).map(({ document }) => document.title)
      expect(new Set(titles).size).toBe(1)
    })

    it.each(CODES)('section 3.2: the extension members of %s have names that every format can take', async (code) => {
      const [problem] = await problems(code)
      const standard = ['type', 'title', 'status', 'detail', 'instance']
      const extensions = Object.keys(problem?.document ?? {}).filter((member) => !standard.includes(member))
      expect(extensions).toEqual(expect.arrayContaining(['code', 'request_id', 'error']))
      for (const member of extensions) expect(member).toMatch(/^[A-Za-z][A-Za-z0-9_]{2,}$/)
    })

    it.each(CODES)('section 5: %s gives away no stack, no path and no host name', async (code) => {
      const [problem] = await problems(code)
      expect(JSON.stringify(problem?.document)).not.toMatch(
        /at .*:\d+:\d+|node_modules|\/src\/|127\.0\.0\.1|acct_1|agent:/,
      )
    })
  })
}

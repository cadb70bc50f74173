import { createApiKeys } from 'keyward'
import { describe, expect, it } from 'vitest'
import { ask, FRAMEWORKS } from '../support/frameworks.ts'

describe.each(FRAMEWORKS)('a field that the host words in another case, on $name', (framework) => {
  it('takes the place of ours', async () => {
    const keys = createApiKeys({
      prefix: 'ca_',
      answers: (_denied, answer) => ({
        ...answer,
        headers: { ...answer.headers, 'content-type': 'text/plain', vary: 'Origin' },
      }),
    })
    const bound = await framework.open(keys, undefined, () => ({}))
    const { status, headers } = await ask(framework, bound, [])
    expect([status, headers['content-type']]).toEqual([401, 'text/plain'])
    expect(headers.vary).toMatch(/\bOrigin\b/)
  })
})

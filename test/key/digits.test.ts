import { createApiKeys } from 'keyward'
import { expect, it } from 'vitest'
import { sealed, sixDigits } from '../support/forge.ts'
import { judged } from '../support/outcome.ts'
import { spiedStore } from '../support/stores.ts'

async function open() {
  const { store, asked } = spiedStore()
  const keys = createApiKeys({ prefix: 'agk_live_', store })
  return { keys, ...(await keys.create({ owner: 'acct_1' })), finds: () => asked('find') }
}

it('F-13 a character that is no digit is refused wherever it stands, whatever it has in common with one', async () => {
  const { keys, key, finds } = await open()
  const [start, from] = [key.slice(0, -6), 'agk_live_'.length]
  for (let at = from; at < key.length; at++) {
    const code = key.charCodeAt(at)
    for (const odd of ['-', '_', ...[0x80, 0x100, 0x4100].map((more) => String.fromCharCode(code + more))]) {
      const changed = key.slice(0, at) + odd + key.slice(at + 1)
      const texts = at < start.length ? [changed, sealed(changed.slice(0, -6))] : [changed]
      for (const text of texts) expect(await judged(keys, text)).toBe('invalid_key')
    }
  }
  expect(finds()).toBe(0)
})

it('F-13 what is no digit cannot stand for one that is carried over', async () => {
  const { keys, finds } = await open()
  // What is no digit counts as 128 while it is summed up: as 4, with 2 more at the place before it.
  const [two, four] = [sixDigits(2).slice(-1), sixDigits(4).slice(-1)]
  let key = ''
  while (!key.slice(-6).includes(two + four)) key = (await keys.create({ owner: 'acct_1' })).key
  const at = key.length - 6 + key.slice(-6).indexOf(two + four)
  expect(await judged(keys, `${key.slice(0, at)}0-${key.slice(at + 2)}`)).toBe('invalid_key')
  expect(finds()).toBe(0)
})

import { appendFileSync, fstatSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApiKeys, type KeyStore } from 'keyward'
import { fakeClock, storeChecks } from 'keyward/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { openJournal } from '../../examples/custom-store/journal.ts'
import { journalStore } from '../../examples/custom-store/store.ts'
import { countingStore } from '../../examples/custom-store/take.ts'
import { storedKey } from '../storage/stored-key.ts'
import { judged } from '../support/outcome.ts'

const FOLDER = 'examples/custom-store'
const folder = mkdtempSync(join(tmpdir(), 'keyward-custom-'))
let files = 0

afterAll(() => rmSync(folder, { recursive: true }))

const newFile = () => join(folder, `${++files}.jsonl`)
const linesOf = (file: string) => readFileSync(join(FOLDER, file), 'utf8').trimEnd().split('\n').length

describe('examples/custom-store', () => {
  it('is short: five verbs in under 120 lines, take in under 60 more', () => {
    expect(linesOf('journal.ts') + linesOf('store.ts')).toBeLessThan(120)
    expect(linesOf('take.ts')).toBeLessThan(60)
  })

  it('imports what users can import, and nothing of ours', () => {
    const sources = readdirSync(FOLDER).filter((name) => name.endsWith('.ts'))
    const imported = sources.flatMap((name) => [
      ...readFileSync(join(FOLDER, name), 'utf8').matchAll(/from '(.+)'|import\('(.+)'\)/g),
    ])
    const others = new Set(imported.map(([, from]) => from ?? '').filter((from) => !/^(\.\/|node:)/.test(from)))
    expect([...others]).toEqual(['keyward'])
  })

  describe('keeps the storage contract with five verbs', () => {
    for (const check of storeChecks(() => journalStore(openJournal(newFile())))) {
      it.concurrent(check.name, async () => void (await check.run()))
    }
  })

  describe('keeps the storage contract with take', () => {
    for (const check of storeChecks(() => countingStore(openJournal(newFile())))) {
      it.concurrent(check.name, async () => {
        const answer = await check.run()
        if (/^(take|window)-/.test(check.id)) expect(answer).toBeUndefined()
      })
    }
  })
})

describe.each([
  ['five verbs', journalStore],
  ['take', countingStore],
])('a journal with %s', (_, over) => {
  it('has everything again when it is opened again, also behind a line that broke off', async () => {
    const file = newFile()
    const journal = openJournal(file)
    const store = over(journal)
    const [kept, changed, gone] = [storedKey(), storedKey({ uniqueName: 'n' }), storedKey()]
    for (const key of [kept, changed, gone]) await store.insert(key)
    await store.replace({ ...changed, version: 8, name: 'other' }, 7)
    await store.remove(gone.id)
    journal.close()
    appendFileSync(file, '\n["key half","{')
    const again = openJournal(file)
    const late = storedKey()
    await over(again).insert(late)
    again.close()
    const last = over(openJournal(file))
    expect(await last.find(kept.id)).toEqual(kept)
    expect(await last.find(changed.id)).toEqual({ ...changed, version: 8, name: 'other' })
    expect(await last.find(gone.id)).toBeUndefined()
    expect(await last.find(late.id)).toEqual(late)
    expect(await last.find('half')).toBeUndefined()
    await expect(async () => last.insert(storedKey({ uniqueName: 'n' }))).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('lists what is left when it is opened again behind a removal', async () => {
    const file = newFile()
    const journal = openJournal(file)
    const [kept, gone] = [storedKey(), storedKey({ uniqueName: 'n' })]
    for (const key of [kept, gone]) await over(journal).insert(key)
    await over(journal).remove(gone.id)
    journal.close()
    const again = over(openJournal(file))
    expect(await again.list({ prefixes: [kept.prefix], limit: 10 })).toEqual({ items: [kept] })
    await again.insert(storedKey({ uniqueName: 'n' }))
  })

  it('goes on in the file that it has when it cannot be written anew', async () => {
    const home = mkdtempSync(join(folder, 'gone-'))
    const file = join(home, 'keys.jsonl')
    const journal = openJournal(file)
    const other = openSync(newFile(), 'w')
    rmSync(home, { recursive: true })
    // What was closed too early would be somebody else's by then.
    const unrelated: number[] = []
    for (let time = 0; time < 1_100; time++) {
      try {
        journal.put('mark', time)
      } catch {
        unrelated.push(openSync(newFile(), 'w'))
      }
    }
    expect(unrelated).toHaveLength(1)
    expect([other, ...unrelated].map((handle) => fstatSync(handle).size)).toEqual([0, 0])
    expect(journal.get('mark')).toBe(1_099)
  })

  it('has changed nothing when its file cannot be written', async () => {
    const journal = openJournal(newFile())
    const store = over(journal)
    const key = storedKey()
    await store.insert(key)
    journal.close()
    await expect(async () => store.replace({ ...key, version: 8 }, 7)).rejects.toThrow()
    await expect(async () => store.remove(key.id)).rejects.toThrow()
    expect(await store.find(key.id)).toEqual(key)
  })
})

describe('keys in a journal', () => {
  const keysOver = (store: KeyStore, clock = fakeClock()) => createApiKeys({ prefix: 'jo_', store, clock })

  it('are counted on by whoever opens it next', async () => {
    const [file, clock] = [newFile(), fakeClock()]
    const first = openJournal(file)
    const { key } = await keysOver(countingStore(first), clock).create({ owner: 'acct_1', limits: { hour: 3 } })
    for (let time = 0; time < 2; time++) {
      expect(await judged(keysOver(countingStore(first), clock), key)).toBe('admitted')
    }
    first.close()
    const keys = keysOver(countingStore(openJournal(file)), clock)
    expect([await judged(keys, key), await judged(keys, key)]).toEqual(['admitted', 'rate_limited'])
    clock.advance('1h')
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('with limits obey a change of another instance at once', async () => {
    const store = countingStore(openJournal(newFile()))
    const [one, two] = [keysOver(store), keysOver(store)]
    const { key, record } = await one.create({ owner: 'acct_1', limits: { hour: 3 } })
    expect(await judged(two, key)).toBe('admitted')
    await one.revoke(record.id)
    expect(await judged(two, key)).toBe('revoked')
  })

  it('take no more room for being used: the file is written anew, and a large limit keeps 97 entries', async () => {
    const [file, clock] = [newFile(), fakeClock()]
    const keys = keysOver(countingStore(openJournal(file)), clock)
    const { key } = await keys.create({ owner: 'acct_1', limits: { second: 1_000_000, minute: 1_000_000 } })
    for (let time = 0; time < 5_000; time++) {
      clock.advance(7)
      if (time % 500 === 0) expect(await judged(keys, key)).toBe('admitted')
      else await keys.verify(key)
    }
    expect(statSync(file).size).toBeLessThan(5_000_000)
    const text = readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? ''
    expect(JSON.parse(text)[1]['second 1000'].length).toBeLessThanOrEqual(97)
  })
})

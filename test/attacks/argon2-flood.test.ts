import { lookup } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type ApiKeysOptions, createApiKeys, type Hasher, hmac, memoryStore, sha256, type Verdict } from 'keyward'
import { argon2id } from 'keyward/argon2'
import { describe, expect, it } from 'vitest'
import { heldArgon2, LIGHT, turns, wrongSecrets } from '../support/argon2.ts'
import { codeOf, judged } from '../support/outcome.ts'
import { carried, SOURCES, type SourceCase } from '../support/presenting.ts'
import { unknownKeys } from '../support/strangers.ts'

const PEPPERED = hmac({ current: 'p1', peppers: { p1: 'k8Jq2vTz5RwXn9BfLm4HsC7d' } })

/** An instance on slow hashes, with a key, and floods of credentials that are not it. */
async function besieged(source: SourceCase, hasher: Hasher | readonly Hasher[], more: Partial<ApiKeysOptions> = {}) {
  const keys = createApiKeys({ prefix: 'ag_', pair: source.pair, hasher, ...more })
  const created = await keys.create({ owner: 'acct_1' })
  const settled: string[] = []
  const send = (texts: { key: string; secret?: string }) =>
    Promise.resolve(keys.verify(carried(source, texts))).then((verdict: Verdict) => {
      settled.push(codeOf(verdict))
      return codeOf(verdict)
    })
  const wrong = await wrongSecrets(created.record.id, 'ag_', 1000, source.pair)
  return { keys, created, settled, send, flood: () => wrong.map(send) }
}

const count = (codes: readonly string[], code: string) => codes.filter((each) => each === code).length

describe.each(SOURCES)('A. A flood of wrong secrets ($source)', (source) => {
  it.each([1, 2, 4])(
    'A-01 runs %i at once and lets 20 wait: all others are unavailable before a single hash is done',
    async (concurrency) => {
      const argon2 = heldArgon2()
      const hasher = argon2id({ ...LIGHT, concurrency, queue: 20 })
      const { settled, flood } = await besieged(source, hasher)
      argon2.hold()
      const verdicts = flood()
      await turns()
      expect(argon2.running()).toBe(concurrency)
      expect(settled).toEqual(Array(1000 - concurrency - 20).fill('unavailable'))
      argon2.release()
      const codes = await Promise.all(verdicts)
      expect([count(codes, 'invalid_key'), count(codes, 'admitted')]).toEqual([concurrency + 20, 0])
      expect(argon2.most()).toBe(concurrency)
    },
  )

  it('A-01 leaves nothing behind: when it is over, the next key is proved as ever', async () => {
    const hasher = argon2id({ ...LIGHT, concurrency: 2, queue: 5 })
    const { created, flood, send } = await besieged(source, hasher)
    for (let round = 0; round < 3; round++) {
      const codes = await Promise.all(flood())
      expect(count(codes, 'invalid_key') + count(codes, 'unavailable')).toBe(1000)
    }
    expect(await send(created)).toBe('admitted')
  })

  it('A-01 does not turn away a key that was proved before', async () => {
    const argon2 = heldArgon2()
    const { created, keys, flood, send } = await besieged(source, argon2id({ ...LIGHT, queue: 5 }))
    expect(await send(created)).toBe('admitted')
    argon2.hold()
    const verdicts = flood()
    expect(keys.verify(carried(source, created))).toMatchObject({ ok: true })
    argon2.release()
    expect(await Promise.all(verdicts)).not.toContain('admitted')
  })

  it('A-01 a flood of unknown ids, which are hashed for appearance, turns no honest key away', async () => {
    const argon2 = heldArgon2()
    const { created, send } = await besieged(source, argon2id({ ...LIGHT, concurrency: 1, queue: 5 }))
    const strangers = await unknownKeys('ag_', 100, source.pair)
    argon2.hold()
    const refused = strangers.map(send)
    await turns()
    const honest = send(created)
    argon2.release()
    expect(await honest).toBe('admitted')
    expect(new Set(await Promise.all(refused))).not.toContain('admitted')
  })

  it('A-08 forged checksums from one network are hashed as often as the failure budget allows, and no more', async () => {
    const argon2 = heldArgon2()
    const failures = { limit: 3, window: '1m' } as const
    const { keys, created } = await besieged(source, argon2id(LIGHT), { failures, trustedProxies: [] })
    const strangers = await unknownKeys('ag_', 20, source.pair)
    argon2.asked.length = 0
    const codes: string[] = []
    for (const [n, texts] of strangers.entries()) {
      const peer = `2001:db8:0:1::${(n + 1).toString(16)}`
      codes.push(await judged(keys, { ...carried(source, texts), peer }))
    }
    expect(codes).toEqual([...Array(3).fill('invalid_key'), ...Array(17).fill('too_many_failures')])
    expect(argon2.asked).toHaveLength(3)
    expect(await judged(keys, { ...carried(source, created), peer: '2001:db8:0:2::1' })).toBe('admitted')
  })

  it('A-02 HMAC keys of the same instance and of another are judged meanwhile, without waiting', async () => {
    const argon2 = heldArgon2()
    const store = memoryStore()
    const hashers = [argon2id({ ...LIGHT, queue: 50 }), PEPPERED]
    const { flood } = await besieged(source, hashers, { store })
    const options = { prefix: 'ag_', pair: source.pair, store }
    const quick = await createApiKeys({ ...options, hasher: PEPPERED }).create({ owner: 'acct_2' })
    const same = createApiKeys({ ...options, hasher: [PEPPERED, hashers[0] as Hasher] })
    const other = createApiKeys({ prefix: 'hm_', pair: source.pair, hasher: PEPPERED })
    const elsewhere = await other.create({ owner: 'acct_3' })
    argon2.hold()
    const verdicts = flood()
    await turns()
    const finished: string[] = []
    for (let n = 0; n < 3; n++) {
      finished.push(await judged(same, carried(source, quick)), await judged(other, carried(source, elsewhere)))
    }
    expect(finished).toEqual(Array(6).fill('admitted'))
    expect(argon2.running()).toBeGreaterThan(0)
    argon2.release()
    expect(await Promise.all(verdicts)).not.toContain('admitted')
  })

  it('A-02 nor do HMAC keys wait that are yet to be upgraded to argon2: nobody waits for an upgrade', async () => {
    const argon2 = heldArgon2()
    const store = memoryStore()
    const options = { prefix: 'ag_', pair: source.pair, store }
    const old = await createApiKeys({ ...options, hasher: sha256() }).create({ owner: 'acct_2' })
    const hasher = [argon2id({ ...LIGHT, queue: 0, concurrency: 1 }), sha256()]
    const { keys, flood } = await besieged(source, hasher, { store })
    argon2.hold()
    const verdicts = flood()
    expect(await judged(keys, carried(source, old))).toBe('admitted')
    argon2.release()
    expect(await Promise.all(verdicts)).not.toContain('admitted')
    // The upgrade found no place in the queue; a later use tries again.
    await turns()
    expect(await judged(keys, carried(source, old))).toBe('admitted')
    await expect.poll(async () => (await store.find(old.record.id))?.hash).toMatch(/^argon2id/)
  })
})

describe('A. What else runs on the thread pool', () => {
  it.each([1, 2, 4])('A-03 files, names and gzip are served while %i slow hashes run at once', async (concurrency) => {
    const [, source] = SOURCES
    const hasher = argon2id({ memory: 19_456, passes: 2, concurrency, queue: 100 })
    const { settled, flood } = await besieged(source, hasher)
    const verdicts = flood()
    await turns()
    const turnedAway = settled.length
    const file = await readFile(import.meta.filename)
    await Promise.all([lookup('localhost'), promisify(gzip)(file)])
    const hashed = settled.length - turnedAway
    // Behind all that waits they would come last. How many hashes are done before them depends on the machine.
    expect(hashed).toBeLessThan((100 + concurrency) / 2)
    expect(await Promise.all(verdicts)).not.toContain('admitted')
  })
})

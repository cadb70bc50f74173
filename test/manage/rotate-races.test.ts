import { type CreateInput, createApiKeys, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { failure, judged } from '../support/outcome.ts'
import { distantStore, sabotagedStore, spiedStore, wrapStore } from '../support/stores.ts'

async function instance(input: CreateInput = { owner: 'acct_1' }, store = memoryStore()) {
  const clock = fakeClock()
  const keys = createApiKeys({ prefix: 'ro_', store, clock })
  return { clock, store, keys, ...(await keys.create(input)) }
}

/** A store that writes what it is told, and whose answers to that are lost while the line is deaf. */
function deafLine() {
  const line = { isDeaf: true, store: memoryStore() }
  line.store = wrapStore(line.store, async (verb, ask) => {
    const answer = await ask()
    if (verb === 'replace' && line.isDeaf) throw new Error('connection reset')
    return answer
  })
  return line
}

describe('rotate, in races', () => {
  it.each([
    ['memoryStore', memoryStore],
    ['a store behind a network', () => distantStore()],
  ])('20 rotations at once have one winner, the others are told CONFLICT (%s)', async (_, make) => {
    const { keys, key, record } = await instance({ owner: 'acct_1' }, make())
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => keys.rotate(record.id, { overlap: '1h' })),
    )
    const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))
    expect([won.length, lost]).toEqual([1, Array(19).fill('CONFLICT')])
    expect(await judged(keys, won[0]?.key ?? '')).toBe('admitted')
    expect(await judged(keys, key)).toBe('admitted')
  })

  it('gives up on a key that others change without end, as every change does', async () => {
    let tries = 0
    const store = wrapStore(memoryStore(), (verb, ask) => (verb === 'replace' ? ++tries === 0 : ask()))
    const { keys, record } = await instance({ owner: 'acct_1' }, store)
    for (const act of [() => keys.rotate(record.id, { overlap: 0 }), () => keys.disable(record.id)]) {
      tries = 0
      const message = 'the key is being changed by others'
      expect(await failure(act)).toMatchObject({ code: 'CONFLICT', message })
      expect(tries).toBe(10)
    }
  })

  it('keeps changes of another kind that come in between, and still wins', async () => {
    const inner = memoryStore()
    const other = createApiKeys({ prefix: 'ro_', store: inner })
    let meanwhile: (() => Promise<unknown>) | undefined
    const store = wrapStore(inner, async (verb, ask) => {
      if (verb === 'replace') {
        const act = meanwhile
        meanwhile = undefined
        await act?.()
      }
      return ask()
    })
    const { keys, record } = await instance({ owner: 'acct_1' }, store)
    meanwhile = () => other.update(record.id, { name: 'renamed' })
    const rotated = await keys.rotate(record.id, { overlap: 0 })
    expect(rotated.record.name).toBe('renamed')
    expect(await judged(keys, rotated.key)).toBe('admitted')
  })

  /** Another process rotates the key just before this one writes for the first time. */
  async function overtaken() {
    const inner = memoryStore()
    const other = createApiKeys({ prefix: 'ro_', store: inner })
    let isFirst = true
    const store = wrapStore(inner, async (verb, ask) => {
      if (verb === 'replace' && isFirst) {
        isFirst = false
        await other.rotate(record.id, { overlap: '24h' })
      }
      return ask()
    })
    const { keys, key, record } = await instance({ owner: 'acct_1' }, store)
    return { keys, key, id: record.id }
  }

  it('those that waited when another process was found to have rotated the key have lost, too', async () => {
    const { keys, key, id } = await overtaken()
    const results = await Promise.allSettled([1, 2, 3].map(() => keys.rotate(id, { overlap: '24h' })))
    const codes = results.map((result) => (result.status === 'rejected' ? result.reason.code : 'won'))
    expect(codes).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT'])
    expect(await judged(keys, key)).toBe('admitted')
    const later = await keys.rotate(id, { overlap: '24h' })
    expect(await judged(keys, later.key)).toBe('admitted')
  })

  it.each([
    ['its condition says no', { when: () => false }, 'CONFLICT'],
    ['it was asked for wrongly', { overlap: 'soon' as never }, 'INPUT'],
  ])('a rotation that is refused because %s keeps nobody from winning who waited for it', async (_, options, code) => {
    const { keys, record } = await instance({ owner: 'acct_1' }, distantStore())
    const first = failure(() => keys.rotate(record.id, { overlap: 0, ...options }))
    const second = keys.rotate(record.id, { overlap: 0 })
    expect((await first).code).toBe(code)
    expect(await judged(keys, (await second).key)).toBe('admitted')
  })

  it('nor does one that failed with the store', async () => {
    const { store, break: spoil } = sabotagedStore(distantStore())
    const { keys, record } = await instance({ owner: 'acct_1' }, store)
    spoil('replace', () => {
      spoil('replace', undefined)
      throw new Error('gone')
    })
    const first = failure(() => keys.rotate(record.id, { overlap: 0 }))
    const second = keys.rotate(record.id, { overlap: 0 })
    expect((await first).code).toBe('STORE')
    expect(await judged(keys, (await second).key)).toBe('admitted')
  })

  it.each(['revoke', 'disable'] as const)(
    'X-03 against %s: whichever comes first, the key is stopped',
    async (verb) => {
      for (let round = 0; round < 20; round++) {
        const { keys, key, record } = await instance({ owner: 'acct_1' }, distantStore())
        const rotating = keys.rotate(record.id, { overlap: '1h' }).then(
          (rotated) => rotated.key,
          (error: { code: string }) => {
            expect(error.code).toBe('STATE')
            return key
          },
        )
        const [latest] = await Promise.all([rotating, keys[verb](record.id)])
        expect(await judged(keys, latest)).toBe(verb === 'revoke' ? 'revoked' : 'disabled')
        expect(await judged(keys, key)).toBe(verb === 'revoke' ? 'revoked' : 'disabled')
      }
    },
  )

  it('X-03 a revoked key is refused with either secret of its overlap', async () => {
    const { keys, key, record } = await instance()
    const rotated = await keys.rotate(record.id, { overlap: '1h' })
    await keys.revoke(record.id)
    expect([await judged(keys, key), await judged(keys, rotated.key)]).toEqual(['revoked', 'revoked'])
  })

  it('X-07 a rotation whose write was lost leaves the old secret working, and can be made again', async () => {
    const inner = memoryStore()
    let lost = true
    const store = wrapStore(inner, (verb, ask) =>
      verb === 'replace' && lost ? Promise.reject(new Error('gone')) : ask(),
    )
    const { keys, key, record } = await instance({ owner: 'acct_1' }, store)
    const error = await failure(() => keys.rotate(record.id, { overlap: 0 }))
    expect(error).toMatchObject({ code: 'STORE', outcome: 'unknown' })
    expect(await judged(keys, key)).toBe('admitted')
    lost = false
    const { key: fresh } = await keys.rotate(record.id, { overlap: 0 })
    expect([await judged(keys, key), await judged(keys, fresh)]).toEqual(['invalid_key', 'admitted'])
  })

  it('X-07 nor does one that was written, though its answer was lost: the old secret is in its overlap', async () => {
    const inner = memoryStore()
    const store = wrapStore(inner, async (verb, ask) => {
      const answer = await ask()
      if (verb === 'replace') throw new Error('connection reset')
      return answer
    })
    const { keys, key, record } = await instance({ owner: 'acct_1' }, store)
    expect(await failure(() => keys.rotate(record.id, { overlap: '1h' }))).toMatchObject({ outcome: 'unknown' })
    expect(await keys.verify(key)).toMatchObject({ ok: true, overlap: {} })
  })

  it('X-07 made again after that, it replaces the secret that clients have, not the one that nobody got', async () => {
    const line = deafLine()
    const { clock, keys, key, record } = await instance({ owner: 'acct_1' }, line.store)
    for (let n = 0; n < 3; n++) await failure(() => keys.rotate(record.id, { overlap: '1h' }))
    line.isDeaf = false
    const { key: fresh } = await keys.rotate(record.id, { overlap: '24h' })
    expect([await judged(keys, key), await judged(keys, fresh)]).toEqual(['admitted', 'admitted'])
    clock.advance('25h')
    expect([await judged(keys, key), await judged(keys, fresh)]).toEqual(['invalid_key', 'admitted'])
  })

  it('X-07 made again once its overlap is over, it does not bring the old secret back', async () => {
    const line = deafLine()
    const { clock, keys, key, record } = await instance({ owner: 'acct_1' }, line.store)
    await failure(() => keys.rotate(record.id, { overlap: '1h' }))
    line.isDeaf = false
    clock.advance('2h')
    await keys.rotate(record.id, { overlap: '24h' })
    expect(await judged(keys, key)).toBe('invalid_key')
  })
})

describe('what is asked at once', () => {
  /** As behind a pool of connections: what is asked second may be answered second, when the first has been done. */
  function pooledStore() {
    let busy: Promise<unknown> = Promise.resolve()
    return wrapStore(memoryStore(), (_verb, ask) => {
      const answer = busy.then(() => new Promise((resolve) => setImmediate(resolve))).then(ask)
      busy = answer.catch(() => {})
      return answer
    })
  }

  it('is one rotation, though the store hears of the second when the first has been written', async () => {
    const { keys, key, record } = await instance({ owner: 'acct_1' }, pooledStore())
    for (const overlap of [0, '24h'] as const) {
      const results = await Promise.allSettled([1, 2, 3].map(() => keys.rotate(record.id, { overlap })))
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    }
    expect(await judged(keys, key)).toBe('invalid_key')
    const { key: last } = await keys.rotate(record.id, { overlap: '24h' })
    expect(await judged(keys, last)).toBe('admitted')
  })

  it('a revocation goes on where others have been first twenty times, as no other change does', async () => {
    let lost = 0
    const store = wrapStore(memoryStore(), (verb, ask) => (verb === 'replace' && ++lost <= 20 ? false : ask()))
    const { keys, key, record } = await instance({ owner: 'acct_1' }, store)
    expect((await keys.revoke(record.id, { reason: 'leaked' })).status).toBe('revoked')
    expect(await judged(keys, key)).toBe('revoked')
  })

  it('edits of one key in one process are made one after the other: none of them is lost', async () => {
    const { store, asked, forget } = spiedStore(distantStore())
    const { keys, record } = await instance({ owner: 'acct_1' }, store)
    forget()
    await Promise.all(Array.from({ length: 30 }, (_, n) => keys.update(record.id, { description: `edit ${n}` })))
    expect([asked('find'), asked('replace')]).toEqual([30, 30])
  })

  it('those of many processes do not meet again and again', async () => {
    const store = distantStore()
    const { keys, record } = await instance({ owner: 'acct_1' }, store)
    const processes = Array.from({ length: 15 }, () => createApiKeys({ prefix: 'ro_', store }))
    await Promise.all(processes.map((each, n) => each.update(record.id, { metadata: { n } })))
    expect((await keys.get(record.id))?.metadata).toBeDefined()
  })
})

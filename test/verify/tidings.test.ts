import { type ApiKeysOptions, createApiKeys, type KeyEvent, type KeyStore, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it, vi } from 'vitest'
import { judged } from '../support/outcome.ts'
import { spiedStore } from '../support/stores.ts'

type Hear = Parameters<NonNullable<KeyStore['watch']>>[0]

/** A store that tells of its changes, and what a test can do to the line. */
function telling() {
  const inner = memoryStore()
  const listeners = new Set<Hear>()
  const tell = (id: unknown) => {
    for (const hear of listeners) hear(id as string)
  }
  const ended = vi.fn()
  const store: KeyStore & Required<Pick<KeyStore, 'watch'>> = {
    ...inner,
    async replace(key, ifVersion) {
      const done = await inner.replace(key, ifVersion)
      if (done) tell(key.id)
      return done
    },
    async remove(id) {
      const done = await inner.remove(id)
      if (done) tell(id)
      return done
    },
    async watch(hear) {
      listeners.add(hear)
      return async () => {
        listeners.delete(hear)
        ended()
      }
    },
  }
  return { store, tell, listeners, ended }
}

/** Two processes that remember for a minute, on a store that tells of its changes. */
async function processes(options: Pick<ApiKeysOptions, 'cache'> = { cache: { maxLag: 60_000 } }) {
  const line = telling()
  const clock = fakeClock()
  const spied = spiedStore(line.store)
  const here = createApiKeys({ prefix: 'ti_', store: { ...spied.store, watch: line.store.watch }, clock, ...options })
  const there = createApiKeys({ prefix: 'ti_', store: line.store, clock, cache: { maxLag: 60_000 } })
  const made = await there.create({ owner: 'acct_1' })
  expect(await judged(here, made.key)).toBe('admitted')
  return { ...line, clock, spied, here, there, ...made }
}

describe('C. Tidings of changes that other processes made', () => {
  it('a revocation elsewhere is obeyed at once, long before maxLag', async () => {
    const { here, there, key, record } = await processes()
    await there.revoke(record.id)
    expect(await judged(here, key)).toBe('revoked')
  })

  it("'*' makes every key be read again", async () => {
    const { here, key, spied, tell } = await processes()
    const before = spied.asked('find')
    tell('*')
    expect(await judged(here, key)).toBe('admitted')
    expect(spied.asked('find')).toBe(before + 1)
  })

  it.each([
    ['of another id', 'nobodysid000'],
    ['that is no text', 42],
    ['that is an object', { id: '*' }],
    ['that is missing', undefined],
    ['that is empty', ''],
  ])('a forged message %s changes no answer', async (_, message) => {
    const { here, key, tell } = await processes()
    for (let i = 0; i < 3; i++) tell(message)
    expect(await judged(here, key)).toBe('admitted')
  })

  it('a forged message brings no revoked key back, and a duplicate costs but a read', async () => {
    const { here, there, key, record, tell } = await processes()
    await there.revoke(record.id)
    for (let i = 0; i < 5; i++) {
      tell(record.id)
      expect(await judged(here, key)).toBe('revoked')
    }
  })

  it('with cache: false nothing is listened to', async () => {
    const { listeners, spied, here, key } = await processes({ cache: false })
    expect(listeners.size).toBe(1) // the other process
    const before = spied.asked('find')
    await judged(here, key)
    expect(spied.asked('find')).toBe(before + 1)
  })

  it('close() hangs up, once, and what is said afterwards is not heard', async () => {
    const { here, listeners, ended } = await processes()
    await here.close()
    await here.close()
    expect(ended).toHaveBeenCalledTimes(1)
    expect(listeners.size).toBe(1)
  })

  it('close() does not wait for a line that never comes about, and hangs up when it does', async () => {
    const ended = vi.fn()
    let connect: (end: () => Promise<void>) => void = () => {}
    const watch: KeyStore['watch'] = () => new Promise((resolve) => (connect = resolve))
    const keys = createApiKeys({ prefix: 'ti_', store: { ...memoryStore(), watch } })
    await keys.close()
    connect(async () => ended())
    await vi.waitFor(() => expect(ended).toHaveBeenCalledTimes(1))
  })

  it('a line that fails is a fault that is told, is tried again, and what was missed is read again', async () => {
    vi.useFakeTimers()
    try {
      const faults: KeyEvent[] = []
      const spied = spiedStore(memoryStore())
      let attempts = 0
      const watch: KeyStore['watch'] = async () => {
        if (++attempts < 3) throw new Error('no line to redis://:hunter2@127.0.0.1')
        return async () => {}
      }
      const keys = createApiKeys({
        prefix: 'ti_',
        store: { ...spied.store, watch },
        cache: { maxLag: 60_000 },
        onEvent: (event) => {
          if (event.type === 'fault') faults.push(event)
        },
      })
      const { key } = await keys.create({ owner: 'acct_1' })
      expect(await judged(keys, key)).toBe('admitted')
      await vi.advanceTimersByTimeAsync(5_000)
      expect(attempts).toBe(3)
      expect(faults).toMatchObject([{ code: 'watch' }, { code: 'watch' }])
      expect(JSON.stringify(faults)).not.toContain('hunter2')
      const before = spied.asked('find')
      expect(await judged(keys, key)).toBe('admitted')
      expect(spied.asked('find')).toBe(before + 1)
    } finally {
      vi.useRealTimers()
    }
  })

  it('a line that is dead for good changes no verification', async () => {
    const watch: KeyStore['watch'] = () => Promise.reject(new Error('no'))
    const keys = createApiKeys({ prefix: 'ti_', store: { ...memoryStore(), watch } })
    const { key, record } = await keys.create({ owner: 'acct_1' })
    expect(await judged(keys, key)).toBe('admitted')
    await keys.revoke(record.id)
    expect(await judged(keys, key)).toBe('revoked')
    await keys.close()
  })
})

it('close() does not wait for ever for a store that does not stop telling', async () => {
  const inner = memoryStore()
  const touched = vi.fn()
  const store: KeyStore = {
    ...inner,
    touch: (marks) => touched(marks),
    watch: async () => () => new Promise<void>(() => {}),
  }
  const keys = createApiKeys({ prefix: 'ti_', store, storeTimeout: 20 })
  const { key } = await keys.create({ owner: 'acct_1' })
  expect(await judged(keys, key)).toBe('admitted')
  await keys.close()
  expect(touched).toHaveBeenCalledTimes(1)
})

describe('instances on one store', () => {
  /** A store whose line a test holds in its hands, and instances on it, each with the faults that it tells. */
  function sharing() {
    const spied = spiedStore(memoryStore())
    const lines: { hear: Hear; fail: (error: unknown) => void }[] = []
    const ended = vi.fn()
    const watch: KeyStore['watch'] = async (hear, fail = () => {}) => {
      lines.push({ hear, fail })
      hear('*')
      return async () => ended()
    }
    const store: KeyStore = { ...spied.store, watch }
    const join = () => {
      const faults: string[] = []
      const onEvent = (event: KeyEvent) => event.type === 'fault' && faults.push(`${event.code}: ${event.message}`)
      return { keys: createApiKeys({ prefix: 'ti_', store, cache: { maxLag: 60_000 }, onEvent }), faults }
    }
    return { join, lines, ended, spied }
  }

  it('have one line, which is opened with the first and given up with the last', async () => {
    const { join, lines, ended } = sharing()
    const all = [join(), join(), join()].map(({ keys }) => keys)
    expect(lines).toHaveLength(1)
    for (const keys of all) {
      expect(ended).not.toHaveBeenCalled()
      await keys.close()
      await keys.close()
    }
    expect(ended).toHaveBeenCalledTimes(1)
    const { keys } = join()
    expect(lines).toHaveLength(2)
    await keys.close()
    expect(ended).toHaveBeenCalledTimes(2)
  })

  it('all obey what is heard on it, and go on doing so when the one that opened it is closed', async () => {
    const { join, lines, spied } = sharing()
    const [first, second] = [join().keys, join().keys]
    const { key, record } = await first.create({ owner: 'acct_1' })
    for (const hint of ['*', record.id]) {
      for (const keys of [first, second]) expect(await judged(keys, key)).toBe('admitted')
      const before = spied.asked('find')
      lines[0]?.hear(hint)
      for (const keys of [first, second]) expect(await judged(keys, key)).toBe('admitted')
      expect(spied.asked('find')).toBe(before + 2)
    }
    await first.close()
    const before = spied.asked('find')
    lines[0]?.hear(record.id)
    expect(await judged(second, key)).toBe('admitted')
    expect(spied.asked('find')).toBe(before + 1)
  })

  it('each tell that it is lost, also those that come while it is', async () => {
    const { join, lines } = sharing()
    const [first, second] = [join(), join()]
    lines[0]?.fail(new Error('cut'))
    const third = join()
    await vi.waitFor(() => expect(third.faults).toEqual(['watch: cut']))
    lines[0]?.hear('*')
    const fourth = join()
    await fourth.keys.verify('ti_nobody')
    expect([first, second, third, fourth].map(({ faults }) => faults.length)).toEqual([1, 1, 1, 0])
  })

  it('one that comes between two attempts makes the next, which is for all', async () => {
    const inner = memoryStore()
    let attempts = 0
    const watch: KeyStore['watch'] = async () => {
      if (++attempts < 3) throw new Error('no line')
      return async () => {}
    }
    const faults: KeyEvent[] = []
    const onEvent = (event: KeyEvent) => event.type === 'fault' && faults.push(event)
    const store = { ...inner, watch }
    for (const count of [1, 3, 3]) {
      createApiKeys({ prefix: 'ti_', store, onEvent })
      await vi.waitFor(() => expect(faults).toHaveLength(count))
    }
    expect(attempts).toBe(3)
  })
})

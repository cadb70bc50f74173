import { type ApiKeys, createApiKeys, type KeyEvent, memoryStore } from 'keyward'
import { auditLog } from 'keyward/management'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { failure, listener } from '../support/outcome.ts'
import { sabotagedStore, type Verb } from '../support/stores.ts'

/** What a store does that leaves the outcome of a change open. */
const FAULTS: readonly (readonly [string, (ask: () => unknown) => unknown])[] = [
  ['answers too late', (ask) => new Promise((resolve) => void resolve(ask())).then(() => new Promise(() => {}))],
  [
    'loses its connection behind the change',
    (ask) => {
      ask()
      throw new Error('connection lost')
    },
  ],
]

type Told = readonly [type: string, id: string | undefined, actor: string | undefined]

async function shop() {
  const inner = memoryStore()
  const { store, break: sabotage } = sabotagedStore(inner)
  const log = auditLog(inner)
  onTestFinished(log.close)
  const events: KeyEvent[] = []
  const onEvent = (event: KeyEvent) => {
    events.push(event)
    log.onEvent(event)
  }
  const keys = createApiKeys({ prefix: 'uc_', store, storeTimeout: 20, onEvent })
  const { record } = await keys.create({ owner: 'acct_1', scopes: ['a:read'] })
  events.length = 0
  const changes = () => events.filter(({ type }) => type !== 'fault') as readonly (KeyEvent & { actor?: string })[]
  const told = () => changes().map(({ type, id, actor }): Told => [type, id, actor])
  const audit = async () => (await log.list({ owner: 'acct_1' })).items
  return { keys, id: record.id, sabotage, changes, told, audit, store, onEvent }
}

type Shop = Awaited<ReturnType<typeof shop>>
type Verbs = readonly [type: string, verb: Verb, act: (keys: ApiKeys, id: string) => Promise<unknown>]

const CHANGES: readonly Verbs[] = [
  ['updated', 'replace', (keys, id) => keys.update(id, { scopes: ['admin'] }, { actor: 'eve' })],
  ['disabled', 'replace', (keys, id) => keys.disable(id, { actor: 'eve' })],
  ['rotated', 'replace', (keys, id) => keys.rotate(id, { overlap: '1h', actor: 'eve' })],
  ['revoked', 'replace', (keys, id) => keys.revoke(id, { reason: 'leaked', actor: 'eve' })],
  ['removed', 'remove', (keys, id) => keys.remove(id, { actor: 'eve' })],
]

describe.each(FAULTS)('a store that %s', (_, fault) => {
  let open: Shop
  beforeEach(async () => {
    open = await shop()
  })

  it.each(CHANGES)('%s is told once, though nobody asks again', async (type, verb, act) => {
    const { keys, id, sabotage, told, changes } = open
    sabotage(verb, fault)
    expect(await failure(() => act(keys, id))).toMatchObject({ code: 'STORE', outcome: 'unknown' })
    sabotage(verb, undefined)
    await vi.waitFor(() => expect(told()).toEqual([[type, id, 'eve']]), 3_000)
    if (type === 'updated')
      expect(changes()).toMatchObject([{ before: { scopes: ['a:read'] }, after: { scopes: ['admin'] } }])
    await keys.get(id)
    await keys.close()
    expect(told()).toHaveLength(1)
  })

  it.each(CHANGES)('%s is told at once where it is asked for again', async (type, verb, act) => {
    const { keys, id, sabotage, told } = open
    sabotage(verb, fault)
    await failure(() => act(keys, id))
    sabotage(verb, undefined)
    await act(keys, id).catch(() => {})
    expect(told()[0]).toEqual([type, id, 'eve'])
    await keys.close()
    // What is done again is told again: two of these change the key each time.
    expect(told().map(([each]) => each)).toEqual(['updated', 'rotated'].includes(type) ? [type, type] : [type])
  })

  it('a creation that is repeated with its idempotency key is told as the first made it', async () => {
    const { keys, sabotage, changes } = open
    const make = () => keys.create({ owner: 'acct_1', scopes: ['admin'] }, { actor: 'eve', idempotencyKey: 'once' })
    sabotage('insert', fault)
    expect(await failure(make)).toMatchObject({ code: 'STORE', outcome: 'unknown' })
    sabotage('insert', undefined)
    expect(await failure(make)).toMatchObject({ code: 'CONFLICT', id: expect.any(String) })
    expect(changes()).toMatchObject([{ type: 'created', actor: 'eve', after: { scopes: ['admin'] } }])
  })

  it('a change is told, though another process has changed the key again before anybody looked', async () => {
    const { store, break: sabotage } = sabotagedStore(memoryStore())
    const { onEvent, events } = listener()
    const keys = createApiKeys({ prefix: 'uc_', store, storeTimeout: 20, onEvent })
    const elsewhere = createApiKeys({ prefix: 'uc_', store })
    const { record } = await keys.create({ owner: 'acct_1' })
    sabotage('replace', fault)
    await failure(() => keys.disable(record.id, { actor: 'eve' }))
    sabotage('replace', undefined)
    await elsewhere.update(record.id, { name: 'Another' })
    await keys.close()
    expect(events.filter(({ type }) => type !== 'fault')).toMatchObject([{ type: 'created' }, { type: 'disabled' }])
  })

  it('a creation is told when the instance is closed before anybody looks', async () => {
    const { keys, sabotage, told } = open
    sabotage('insert', fault)
    await failure(() => keys.create({ owner: 'acct_1' }, { actor: 'eve' }))
    sabotage('insert', undefined)
    await keys.close()
    expect(told()).toMatchObject([['created', expect.any(String), 'eve']])
  })
})

const lost = () => {
  throw new Error('connection lost before')
}

describe('what concerns no single key', () => {
  it('every key of an owner that was revoked, maybe, is told and kept in the audit log as of unknown outcome', async () => {
    const { keys, sabotage, changes, audit } = await shop()
    // A bulk change may take ten minutes.
    sabotage('revokeWhere', lost)
    expect(await failure(() => keys.revokeAll({ owner: 'acct_1', actor: 'eve' }))).toMatchObject({ outcome: 'unknown' })
    const maybe = { type: 'revoked', owner: 'acct_1', actor: 'eve', count: 0, outcome: 'unknown' }
    expect(changes()).toMatchObject([maybe])
    expect((await audit())[0]).toMatchObject(maybe)
  })

  it.each(FAULTS)(
    'nor is it forgotten where they are revoked one by one, and some are known to be, where a store %s',
    async (_, fault) => {
      const { keys, sabotage, changes, store, onEvent } = await shop()
      const { revokeWhere: __, ...five } = store
      const slow = createApiKeys({ prefix: 'uc_', store: five, storeTimeout: 20, onEvent })
      await keys.create({ owner: 'acct_1' })
      let writes = 0
      sabotage('replace', (ask) => (++writes === 1 ? ask() : fault(ask)))
      await failure(() => slow.revokeAll({ owner: 'acct_1' }))
      expect(changes().at(-1)).toMatchObject({ type: 'revoked', owner: 'acct_1', count: 1, outcome: 'unknown' })
    },
  )

  it.each(FAULTS)('credit that was given, maybe, likewise, where a store %s', async (_, fault) => {
    const { keys, id, sabotage, changes, audit } = await shop()
    await keys.update(id, { credits: { remaining: 1 } })
    sabotage('move', fault)
    expect(await failure(() => keys.credit({ id }, 500, { actor: 'eve' }))).toMatchObject({ outcome: 'unknown' })
    const maybe = { type: 'credited', owner: 'acct_1', actor: 'eve', amount: 500, outcome: 'unknown' }
    expect(changes().at(-1)).toMatchObject({ ...maybe, id })
    expect(changes().at(-1)).not.toHaveProperty('balance')
    expect((await audit())[0]).toMatchObject({ ...maybe, key: id })
  })
})

describe('what is not told', () => {
  it.each(CHANGES)('%s that was not made, also where another changes the key', async (type, verb, act) => {
    const { keys, id, sabotage, told } = await shop()
    sabotage(verb, lost)
    expect(await failure(() => act(keys, id))).toMatchObject({ outcome: 'unknown' })
    sabotage(verb, undefined)
    await keys.update(id, { name: 'Another' }, { actor: 'bob' })
    await keys.close()
    expect(told()).toEqual([['updated', id, 'bob']])
    expect(type).not.toBe('')
  })

  it('the first of two attempts, where it was the second that disabled the key', async () => {
    const { keys, id, sabotage, told } = await shop()
    sabotage('replace', lost)
    await failure(() => keys.disable(id, { actor: 'eve' }))
    sabotage('replace', undefined)
    await new Promise((resolve) => setTimeout(resolve, 2))
    await keys.disable(id, { actor: 'bob' })
    await keys.close()
    expect(told()).toEqual([['disabled', id, 'bob']])
  })
})

import express from 'express'
import { type ApiKeys, createApiKeys, header, hmac, type KeyStore, memoryStore, pair } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { sealed } from '../support/forge.ts'
import { serveGuarded } from '../support/guarded.ts'
import { failure, judged } from '../support/outcome.ts'
import type { Texts } from '../support/presenting.ts'
import { type RawAnswer, raw, request } from '../support/raw.ts'
import { kept } from '../support/stores.ts'

const wordOf = ({ status, body }: RawAnswer) => (status === 200 ? 'admitted' : String(JSON.parse(body).code))

const PEPPERS = { current: 'p1', peppers: { p1: 'a pepper of at least sixteen bytes' } }

/** Three kinds of keys that differ in everything, on one store. */
async function kinds(store: KeyStore = memoryStore()) {
  const users = createApiKeys({ prefix: ['usr_new_', 'usr_old_'], store })
  const agents = createApiKeys({ prefix: 'agt_', store, hasher: hmac(PEPPERS), sources: [header('x-agent-key')] })
  const partners = createApiKeys({
    prefix: 'par_',
    store,
    pair: true,
    sources: [pair('x-partner', 'x-partner-secret')],
  })
  const user = await users.create({ owner: 'user' })
  const agent = await agents.create({ owner: 'agent', limits: { hour: 2 } })
  const partner = await partners.create({ owner: 'partner' })
  const all = [users, agents, partners] as readonly ApiKeys[]
  return { store, users, agents, partners, user, agent, partner, all }
}

const asUser = ({ key }: Texts) => [`Authorization: Bearer ${key}`]
const asAgent = ({ key }: Texts) => [`X-Agent-Key: ${key}`]
const asPartner = ({ key, secret = '' }: Texts) => [`X-Partner: ${key}`, `X-Partner-Secret: ${secret}`]

async function behind(keys: ApiKeys | readonly ApiKeys[]) {
  const { port, reached } = await serveGuarded(express, keys)
  return { reached, ask: async (lines: readonly string[]) => wordOf(await raw(port, request(lines))) }
}

describe('N. Kinds of keys that differ in hasher, source and shape, on one store', () => {
  it('pass one guard, each with its own identity, in whatever order the guard names them', async () => {
    const { all, user, agent, partner } = await kinds()
    for (const order of [all, [...all].reverse()]) {
      const { ask, reached } = await behind(order)
      expect(await ask(asUser(user))).toBe('admitted')
      expect(await ask(asAgent(agent))).toBe('admitted')
      expect(await ask(asPartner(partner))).toBe('admitted')
      expect(reached).toEqual(['user', 'agent', 'partner'])
    }
  })

  it('are refused in the place of another', async () => {
    const { all, user, agent, partner } = await kinds()
    const { ask, reached } = await behind(all)
    const misplaced = [
      asAgent(user),
      asUser(agent),
      asUser(partner),
      asAgent(partner),
      asPartner({ ...partner, key: user.key }),
    ]
    for (const lines of misplaced) expect([lines.length, await ask(lines)]).not.toContain('admitted')
    expect(await ask(asPartner({ key: partner.key, secret: user.key }))).not.toBe('admitted')
    expect(reached).toEqual([])
  })

  it('are kept by the hasher of their own instance, and no other instance can prove them', async () => {
    const { store, users, agents, partners, user, agent } = await kinds()
    expect((await kept(store, user.record.id)).hash.split('$')[0]).not.toBe(
      (await kept(store, agent.record.id)).hash.split('$')[0],
    )
    expect(await judged(users, agent.key)).toBe('invalid_key')
    expect(await judged(agents, user.key)).toBe('invalid_key')
    expect(await judged(partners, { key: user.key, secret: user.key })).toBe('invalid_key')
    const unpeppered = createApiKeys({ prefix: 'agt_', store })
    expect(await judged(unpeppered, agent.key)).toBe('invalid_key')
  })

  it('F-07 F-10 cannot be forged from one another, with a checksum that fits', async () => {
    const { all, users, user, agent, partner } = await kinds()
    const body = (key: string, prefix: string) => key.slice(prefix.length, -6)
    const [ofUser, ofAgent] = [body(user.key, 'usr_new_'), body(agent.key, 'agt_')]
    const ofPartner = `${body(partner.key, 'par_')}${body(partner.secret ?? '', 'par_sec_')}`
    const { ask, reached } = await behind(all)
    for (const text of [ofUser, ofAgent, ofPartner]) {
      const forged = ['usr_new_', 'usr_old_', 'agt_'].map((prefix) => sealed(prefix + text))
      const half = { key: sealed(`par_${text.slice(0, 12)}`), secret: sealed(`par_sec_${text.slice(12)}`) }
      for (const key of forged.filter((key) => key !== user.key && key !== agent.key)) {
        expect(await ask(asUser({ key }))).toBe('invalid_key')
        expect(await ask(asAgent({ key }))).toBe('invalid_key')
      }
      if (half.key !== partner.key) expect(await ask(asPartner(half))).toBe('invalid_key')
    }
    expect(reached).toEqual([])
    expect(sealed(`usr_new_${ofUser}`)).toBe(user.key)
    expect(await judged(users, user.key)).toBe('admitted')
  })

  it('are ambiguous together, whichever two they are', async () => {
    const { all, user, agent, partner } = await kinds()
    const { ask, reached } = await behind(all)
    const carried = [asUser(user), asAgent(agent), asPartner(partner)]
    for (const [i, one] of carried.entries()) {
      for (const other of carried.slice(i + 1)) expect(await ask([...one, ...other])).toBe('ambiguous_credentials')
    }
    expect(reached).toEqual([])
  })

  it('R-19 are seen, changed and counted by their own instance alone', async () => {
    const { all, users, agents, agent, user, partner } = await kinds()
    const owners = await Promise.all(all.map(async (keys) => (await keys.list()).items.map(({ owner }) => owner)))
    expect(owners).toEqual([['user'], ['agent'], ['partner']])
    expect(await users.revokeAll({ owner: 'agent' })).toBe(0)
    expect((await failure(() => users.remove(agent.record.id))).code).toBe('NOT_FOUND')
    const { ask } = await behind(all)
    expect([await ask(asAgent(agent)), await ask(asAgent(agent)), await ask(asAgent(agent))]).toEqual([
      'admitted',
      'admitted',
      'rate_limited',
    ])
    expect([await ask(asUser(user)), await ask(asPartner(partner))]).toEqual(['admitted', 'admitted'])
    await agents.revoke(agent.record.id)
    expect([await ask(asAgent(agent)), await ask(asUser(user))]).toEqual(['revoked', 'admitted'])
  })
})

describe('N. A prefix that is renamed', () => {
  it('leaves keys of the old one valid beside other kinds, and makes keys of the new one', async () => {
    const store = memoryStore()
    const before = createApiKeys({ prefix: 'usr_old_', store })
    const old = await before.create({ owner: 'old' })
    const { all, users, user } = await kinds(store)
    const { ask, reached } = await behind(all)
    expect([await ask(asUser(old)), await ask(asUser(user))]).toEqual(['admitted', 'admitted'])
    expect(reached).toEqual(['old', 'user'])
    expect([(await users.get(old.record.id))?.prefix, user.record.prefix]).toEqual(['usr_old_', 'usr_new_'])
    const swapped = sealed(old.key.replace('usr_old_', 'usr_new_').slice(0, -6))
    expect(await ask(asUser({ key: swapped }))).toBe('invalid_key')
    const rotated = await users.rotate(old.record.id, { overlap: 0 })
    expect(rotated.key.startsWith('usr_old_')).toBe(true)
    expect([await ask(asUser(rotated)), await ask(asUser(old))]).toEqual(['admitted', 'invalid_key'])
  })

  it('F-10 clashes with another kind by any prefix of either list', async () => {
    const lists = [['a_', 'b_'], ['b_'], ['c_', 'a_x_']]
    const [one, two, three] = lists.map((prefix) => createApiKeys({ prefix })) as [ApiKeys, ApiKeys, ApiKeys]
    for (const pairOf of [
      [one, two],
      [two, one],
      [one, three],
      [three, one],
    ]) {
      expect((await failure(() => guard(pairOf))).code).toBe('CONFIG')
    }
    expect(() => guard([two, three])).not.toThrow()
  })
})

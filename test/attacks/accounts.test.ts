import { type ApiKeysOptions, createApiKeys, type Gate, type KeyStore, memoryStore } from 'keyward'
import { fakeClock } from 'keyward/testing'
import { describe, expect, it } from 'vitest'
import { BOTH_STORES } from '../support/both-stores.ts'
import { CARRIERS, EXPRESSES } from '../support/express.ts'
import { serveGuarded } from '../support/guarded.ts'
import { codeOf } from '../support/outcome.ts'
import { carried, SOURCES } from '../support/presenting.ts'
import { raw, request } from '../support/raw.ts'
import { distantStore } from '../support/stores.ts'

/** Accounts that the host has suspended, as its own database says. */
function accounts() {
  const suspended = new Set<string>()
  const gate: Gate = ({ owner }) => (suspended.has(owner) ? 'account_suspended' : undefined)
  return { suspended, gate }
}

describe.each(SOURCES)('R. Accounts that are suspended ($source)', (source) => {
  /** Two processes of one store, which ask the same host; each has met every key. */
  async function processes(more: Partial<ApiKeysOptions> = {}) {
    const { suspended, gate } = accounts()
    const options = { prefix: 'acc_', pair: source.pair, store: memoryStore(), clock: fakeClock(), gate, ...more }
    const both = [createApiKeys(options), createApiKeys(options)] as const
    const inputs = [{}, { limits: { minute: 100 } }, { credits: { remaining: 100 } }, { resource: 'agent:1' }]
    const made = await Promise.all(inputs.map((input) => both[0].create({ owner: 'acct_1', ...input })))
    const other = await both[0].create({ owner: 'acct_2' })
    /** What each process says of each key of the account, and of the other account's last. */
    const told = async () => {
      const codes: string[] = []
      for (const keys of both) {
        for (const each of [...made, other])
          codes.push(codeOf(await keys.verify(carried(source, each), { resource: '*' })))
      }
      return codes
    }
    return { suspended, told }
  }

  const each = (code: string) =>
    Array(2)
      .fill([...Array(4).fill(code), 'admitted'])
      .flat()

  it('R-16 all its keys are refused in every process from the next request on, and no other account’s', async () => {
    const { suspended, told } = await processes()
    expect(await told()).toEqual(each('admitted'))
    suspended.add('acct_1')
    expect(await told()).toEqual(each('account_suspended'))
    suspended.delete('acct_1')
    expect(await told()).toEqual(each('admitted'))
  })

  it('R-16 also where nothing is remembered, and where the store answers later', async () => {
    const inner = memoryStore()
    // What is between passes on all but `move`.
    const store: KeyStore = { ...inner, ...distantStore(inner) }
    for (const more of [{ cache: false as const }, { store }]) {
      const { suspended, told } = await processes(more)
      suspended.add('acct_1')
      expect(await told()).toEqual(each('account_suspended'))
    }
  })
})

describe.each(CARRIERS)('R. Accounts that are gone ($source)', ({ options, lines }) => {
  it.each(BOTH_STORES)(
    'R-16 nothing is left of an account whose keys were removed, and its name may come back (%s)',
    async (_name, open) => {
      const { store } = open()
      const keys = createApiKeys({ prefix: 'acc_', store, ...options })
      const [{ express }] = EXPRESSES
      const { port, reached } = await serveGuarded(express, keys)
      const statusOf = async (texts: { key: string; secret?: string }) =>
        (await raw(port, request(lines(texts)))).status
      const made = [await keys.create({ owner: 'acct_1' }), await keys.create({ owner: 'acct_1' })] as const
      const kept = await keys.create({ owner: 'acct_1 ' })
      for (const each of [...made, kept]) expect(await statusOf(each)).toBe(200)
      for (const { id } of (await keys.list({ owner: 'acct_1' })).items) await keys.remove(id, { owner: 'acct_1' })
      expect([await statusOf(made[0]), await statusOf(made[1]), await statusOf(kept)]).toEqual([401, 401, 200])
      // An account of the same name is another one: the old keys stay unknown.
      const fresh = await keys.create({ owner: 'acct_1' })
      expect([await statusOf(made[0]), await statusOf(made[1]), await statusOf(fresh)]).toEqual([401, 401, 200])
      expect((await keys.list({ owner: 'acct_1' })).items.map(({ id }) => id)).toEqual([fresh.record.id])
      expect(reached).toEqual(['acct_1', 'acct_1', 'acct_1 ', 'acct_1 ', 'acct_1'])
    },
  )
})

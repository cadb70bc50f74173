import { Redis } from 'ioredis'
import type { KeyStore } from 'keyward'
import { redisStore } from 'keyward/redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CreditMove, CreditSpend, SpendWindow } from '../../../src/model/store.ts'
import { type RedisServer, startRedis } from '../../support/redis.ts'
import { storedKey } from '../stored-key.ts'
import { byItsClock, type Dice, dice, withClock } from './by-hand.ts'

const START = 1_800_000_000_000

let server: RedisServer
let client: Redis
let store: Required<KeyStore>
let now = START
let holds = 0

beforeAll(async () => {
  server = await startRedis()
  client = withClock(new Redis(server.url), () => now)
  store = redisStore(client) as Required<KeyStore>
})

afterAll(async () => {
  store.close()
  client.disconnect()
  await server.stop()
})

/** Nearly always on, by anything from nothing to windows; now and then back. With a pace windows last so many times as long. */
function tick({ upTo, of }: Dice, pace = 1): void {
  now +=
    pace * of(0, 1, upTo(50), upTo(500), upTo(2_000), upTo(20_000), -upTo(900), -upTo(30_000)) +
    (pace > 1 ? upTo(9) : 0)
}

function windowsBy({ upTo, of }: Dice, pace = 1): readonly SpendWindow[] {
  const all = [
    { name: 'second', limit: of(1, 3, 3, 3, 100, 101), ms: 1_000 * pace },
    { name: 'ten', limit: of(5, 20, 150), ms: 10_000 * pace },
    { name: 'odd', limit: of(120, 120, 100, 0), ms: 7_001 * pace },
    { name: 'own', limit: 9, ms: 3_000 * pace, cost: upTo(3) },
  ]
  // Never none: a take without windows does not look at the counters at all.
  return all.filter(({ name }) => name === 'second' || upTo(2) > 0)
}

describe('Lua and JavaScript give the same answers', () => {
  // In the second three, windows last for one to ten weeks: what is kept of a moment depends on it.
  it.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 600_000],
    [5, 600_000],
    [6, 600_000],
  ])('for windows, whatever the clock does (seed %d, times %d)', async (seed, pace) => {
    const roll = dice(seed)
    const [reference, key] = [byItsClock(), storedKey()]
    reference.insert(key)
    await store.insert(key)
    for (let step = 0; step < 400; step++) {
      tick(roll, pace)
      const spend = { windows: windowsBy(roll, pace), cost: roll.of(0, 1, 1, 1, 2, 5, 30) }
      const { at, ...taken } = (await store.take(key.id, key.version, spend, 0)) as { at: number }
      expect(at).toBe(now)
      expect(taken, `step ${step}`).toEqual(reference.take?.(key.id, key.version, spend, now))
    }
  })

  it.each([1_000, 2_147_483_647, 2_147_483_648, 4_294_967_296, 6_000_000_000])(
    'for a log of a window of %d ms, also where what is in it lies far apart',
    async (ms) => {
      const [reference, key] = [byItsClock(), storedKey()]
      reference.insert(key)
      await store.insert(key)
      const began = now
      for (const part of [0, 0.1, 0.75, 0.95, 0.999, 1, 1.05, 1.11, 1.9, 2.9, 3.895]) {
        now = began + Math.round(part * ms)
        const spend = { windows: [{ name: 'log', limit: 4, ms }], cost: 1 }
        const { at, ...taken } = (await store.take(key.id, key.version, spend, 0)) as { at: number }
        expect(taken, `after ${part}`).toEqual(reference.take?.(key.id, key.version, spend, now))
      }
    },
  )

  it.each([1, 2, 3, 4, 5, 6])('for balances, holds and refills (seed %d)', async (seed) => {
    const roll = dice(seed + 100)
    const [reference, key] = [byItsClock(), storedKey()]
    reference.insert(key)
    await store.insert(key)
    for (let step = 0; step < 400; step++) {
      tick(roll)
      const account = roll.of(`${key.id}:1`, `${key.id}:1`, `:owner-${seed}`)
      const refill = roll.of(undefined, undefined, { to: roll.upTo(60), due: START + roll.upTo(60_000) })
      const credit = { account, opening: { amount: 20, at: START - 10 }, ...(refill && { refill }) }
      if (roll.upTo(1) === 0) await compareTakes(reference, key.id, { ...credit, ...spendBy(roll) }, roll)
      else await compareMoves(reference, { ...credit, ...deedBy(roll) } as CreditMove, `step ${step}`)
    }
  })
})

function spendBy({ upTo, of }: Dice): Pick<CreditSpend, 'amount' | 'hold'> {
  const hold = of(undefined, { id: `hold-${++holds}`, until: now + of(-5, 500, 5_000, 50_000) })
  return { amount: of(0, 1, 3, upTo(25)), ...(hold && { hold }) }
}

function deedBy({ upTo, of }: Dice): Partial<CreditMove> {
  const id = `hold-${holds - upTo(6)}`
  return of<Partial<CreditMove>>(
    {},
    { add: upTo(10) },
    { release: id },
    { settle: { id, amount: upTo(12), until: now + of(1_000, 100_000) } },
  )
}

async function compareTakes(reference: KeyStore, id: string, credits: CreditSpend, roll: Dice): Promise<void> {
  const spend = { windows: windowsBy(roll), cost: roll.of(0, 1, 2), credits }
  const { at, ...taken } = (await store.take(id, 7, spend, now)) as { at: number }
  expect(taken).toEqual(reference.take?.(id, 7, spend, now))
}

async function compareMoves(reference: KeyStore, move: CreditMove, step: string): Promise<void> {
  const answers = [() => store.move(move, now), async () => reference.move?.(move, now)].map((ask) =>
    Promise.resolve(ask()).catch((error: { code: string; message: string }) => [error.code, error.message]),
  )
  const [ours, theirs] = await Promise.all(answers)
  expect(ours, step).toEqual(theirs)
}

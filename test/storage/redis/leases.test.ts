import { Redis } from 'ioredis'
import type { KeyStore } from 'keyward'
import { redisStore } from 'keyward/redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LeaseSpend } from '../../../src/model/store.ts'
import { type RedisServer, startRedis } from '../../support/redis.ts'
import { storedKey } from '../stored-key.ts'
import { byItsClock, type Dice, dice, withClock } from './by-hand.ts'

const START = 1_800_000_000_000

let server: RedisServer
let client: Redis
let store: Required<KeyStore>
let now = START
let leases = 0

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

/** Windows that stay as they are, as those of a key do: what is kept is in their order. */
const FEW = { name: 'few', limit: 20, ms: 5_000 }
const MANY = { name: 'many', limit: 300, ms: 60_000 }
const EXTRA = { name: 'extra', limit: 40, ms: 9_000 }

function tick({ upTo, of }: Dice): void {
  now += of(0, 0, 1, 1, upTo(20), upTo(300), upTo(3_000), upTo(30_000), -upTo(400), -upTo(40_000))
}

function leaseBy({ upTo, of }: Dice): LeaseSpend {
  const cost = of(0, 1, 5, 10)
  const unused = upTo(6)
  const ended = of(undefined, { id: `lease-${leases - upTo(4)}`, unused })
  const lease = { id: `lease-${++leases}`, ms: 1 + upTo(4_999) }
  return { windows: of([FEW, MANY], [MANY]), cost, lease, ...(ended && { ended }) }
}

describe('Lua and JavaScript give the same answers', () => {
  it.each([1, 2, 3, 4])('for windows that stay as they are (seed %d)', async (seed) => {
    const roll = dice(seed + 200)
    const [reference, key] = [byItsClock(), storedKey()]
    reference.insert(key)
    await store.insert(key)
    for (let step = 0; step < 400; step++) {
      tick(roll)
      // A route may add a window of its own; then others are kept behind those that are asked for.
      const windows = roll.of([FEW, MANY], [FEW, MANY], [FEW, MANY], [FEW, MANY, EXTRA])
      const spend = { windows, cost: roll.of(0, 1, 1, 1, 1, 3, 25) }
      const { at: _, ...taken } = (await store.take(key.id, key.version, spend, 0)) as { at: number }
      expect(taken, `step ${step}`).toEqual(reference.take?.(key.id, key.version, spend, now))
    }
  })

  it.each([1, 2, 3, 4])('for leases beside takes (seed %d)', async (seed) => {
    const roll = dice(seed + 300)
    const [reference, key] = [byItsClock(), storedKey()]
    reference.insert(key)
    await store.insert(key)
    for (let step = 0; step < 400; step++) {
      tick(roll)
      if (roll.upTo(2) === 0) {
        const spend = { windows: roll.of([FEW, MANY], [{ ...FEW, limit: 150 }, MANY]), cost: roll.of(0, 1, 2) }
        const { at: _, ...taken } = (await store.take(key.id, key.version, spend, 0)) as { at: number }
        expect(taken, `step ${step}`).toEqual(reference.take?.(key.id, key.version, spend, now))
        continue
      }
      const spend = leaseBy(roll)
      const version = roll.of(key.version, key.version, key.version, key.version + 1)
      const { at: _, ...taken } = (await store.lease(key.id, version, spend, 0)) as { at: number }
      expect(taken, `step ${step}`).toEqual(reference.lease?.(key.id, version, spend, now))
    }
  })
})

import type { Redis } from 'ioredis'
import type { KeyStore } from 'keyward'
import { expect } from 'vitest'
import type { Script } from '../../../src/storage/redis/scripts.ts'
import { LEASE, MOVE, TAKE, TAKE_PAID } from '../../../src/storage/redis/scripts-spending.ts'
import { openDatabase } from '../../../src/storage/sqlite/driver.ts'
import { prepareDatabase } from '../../../src/storage/sqlite/schema.ts'
import { storeOver } from '../../../src/storage/sqlite/store.ts'

const LIFE = '2 * longest + 1000'
const CLOCK = /local time = redis\.call\('TIME'\)\nlocal now = .*\n/

/** The store with a clock in the hands of the test: its scripts find the time behind their arguments. */
export function withClock(redis: Redis, now: () => number): Redis {
  const scripts = new Map([TAKE, TAKE_PAID, LEASE, MOVE].map((script: Script) => [script.sha, script.text]))
  const duplicate = redis.duplicate.bind(redis)
  redis.duplicate = (...overrides) => {
    const copy = duplicate(...overrides)
    const commands = copy as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
    const asks = (known: 'evalsha' | 'evalshaBuffer', whole: 'eval' | 'evalBuffer') => {
      const evalsha = commands[known]?.bind(copy) as (...args: unknown[]) => Promise<unknown>
      const evaluate = commands[whole]?.bind(copy) as (...args: unknown[]) => Promise<unknown>
      return (sha: string, ...rest: unknown[]) => {
        const text = scripts.get(sha)
        if (text === undefined) return evalsha(sha, ...rest)
        expect(text).toMatch(CLOCK)
        // Real time must not end what counts by the time of the test.
        const timed = text.replace(CLOCK, 'local now = tonumber(table.remove(ARGV))\n').replace(LIFE, '600000')
        return evaluate(timed, ...rest, String(now()))
      }
    }
    return Object.assign(copy, {
      evalsha: asks('evalsha', 'eval'),
      evalshaBuffer: asks('evalshaBuffer', 'evalBuffer'),
    }) as Redis
  }
  return redis
}

/** Numbers that come again with the same seed. */
export function dice(seed: number) {
  let state = seed
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const upTo = (most: number) => Math.floor(next() * (most + 1))
  return { upTo, of: <T>(...all: readonly T[]): T => all[upTo(all.length - 1)] as T }
}

export type Dice = ReturnType<typeof dice>

/** A store that counts as JavaScript does, and by whatever time it is given: it never goes by that of others. */
export function byItsClock(): KeyStore {
  const database = openDatabase(':memory:')
  prepareDatabase(database, 0)
  return storeOver(database, { at: (now) => now })
}

import { describe, expect, it } from 'vitest'
import { bulk, LITTLE_BULK } from '../../drills/bulk.ts'

const { keys } = LITTLE_BULK

async function found(engine: (typeof LITTLE_BULK)['engines'][number]) {
  const [one] = await bulk({ ...LITTLE_BULK, engines: [engine] })
  if (one === undefined) throw new Error('nothing was found')
  return one
}

describe('revokeAll of very many keys', () => {
  it('C-13: is one statement in PostgreSQL, and one * on the bus', async () => {
    const { revoked, refused, presented, again, statements, told } = await found('PostgreSQL')
    expect({ revoked, refused, again, statements, told }).toEqual({
      ...{ revoked: keys, refused: presented, again: 0, statements: 1, told: ['*'] },
    })
  }, 60_000)

  it('C-13: is one * on the bus of Redis, and keeps what it has done when the caller or the server is killed', async () => {
    const { revoked, refused, presented, again, told, crashes } = await found('Redis')
    expect({ revoked, refused, again, told }).toEqual({ revoked: keys, refused: presented, again: 0, told: ['*'] })
    expect(crashes.map(({ of }) => of)).toEqual(['caller', 'store'])
    for (const crash of crashes) {
      expect(crash.before).toBeGreaterThan(0)
      expect(crash).toMatchObject({ after: keys - crash.before, again: 0 })
    }
  }, 60_000)
})

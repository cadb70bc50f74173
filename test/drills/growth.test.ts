import { expect, it } from 'vitest'
import { growth, LITTLE_GROWTH, ratioOf } from '../../drills/growth.ts'

it.each(['memory', 'SQLite', 'Redis', 'PostgreSQL'] as const)(
  'the keys of a large %s are found, metered and listed like those of a small one',
  async (engine) => {
    // It throws where a good key is refused, or an owner's list is not whole.
    const [found] = await growth({ ...LITTLE_GROWTH, engines: [engine] })
    expect(found?.engine).toBe(engine)
    expect(
      Object.values(found?.times ?? {})
        .map(ratioOf)
        .every(Number.isFinite),
    ).toBe(true)
    if (engine !== 'memory') expect(found?.bytesPerKey).toBeGreaterThan(100)
  },
  60_000,
)

import { randomInt } from 'node:crypto'
import { KeywardError } from '../model/errors.ts'

/** How often what works on a key begins again when a change came first. */
const MOST_TRIES = 10
/** What ends a key for good gives way to no other change. */
export const MOST_TRIES_TO_END = 100
/** Between two of them, ms: any time up to this, so that those who work on one key do not meet again and again. */
const LONGEST_PAUSE = 32

/** @throws KeywardError `CONFLICT` where an attempt gives `undefined` again and again: it found that the key had changed */
export async function untilAtRest<T extends object>(
  attempt: () => Promise<T | undefined>,
  most = MOST_TRIES,
): Promise<T> {
  for (let tries = 1; tries <= most; tries++) {
    const done = await attempt()
    if (done !== undefined) return done
    const pause = randomInt(Math.min(2 ** tries, LONGEST_PAUSE) + 1)
    if (tries < most) await new Promise((resolve) => setTimeout(resolve, pause))
  }
  throw new KeywardError('CONFLICT', 'the key is being changed by others')
}

import { type Awaitable, isThenable } from '../model/awaitable.ts'
import { KeywardError } from '../model/errors.ts'
import type { KeyStore, UseMark } from '../model/store.ts'
import { inTime } from '../model/timer.ts'

/** A write that has not ended after so long, ms, is not heard of again: on Workers it ends with the request that made it. */
const LOST = 60_000

type Touch = (marks: readonly UseMark[]) => Awaitable<void>

const NOT_ASKED = "the store's touch was not asked: the one before has not ended"

interface Write {
  readonly since: number
  /** Not when nobody waits for it any more: when the store is done with it. */
  readonly ended: Promise<void>
}

const writes = new WeakMap<KeyStore, Write>()

/**
 * Writes of use marks as a store gets them: never two at once, whoever of this process brings them. A write that hangs, behind
 * a row that is locked, would else be joined by another every moment, until no connection is left.
 *
 * @param ask asks the store by `noted`
 * @param patience how long one waits for its turn, ms; then it is refused, and certainly not made
 */
export function oneTouch(store: KeyStore, ask: Touch, patience: number): (marks: readonly UseMark[]) => Promise<void> {
  return async (marks) => {
    const until = performance.now() + patience
    for (;;) {
      const [now, before] = [performance.now(), writes.get(store)]
      // Nothing is waited for from here until it is noted: another would have its turn, too.
      if (before === undefined || now - before.since >= LOST) return ask(marks)
      if (now >= until) throw new KeywardError('STORE', NOT_ASKED)
      await inTime(before.ended, Math.min(until, before.since + LOST) - now)
    }
  }
}

/** The touch of a store, of which is remembered that it is under way. */
export function noted(store: KeyStore, touch: Touch): Touch {
  return (marks) => {
    const answer = touch.call(store, marks)
    if (!isThenable(answer)) return answer
    // Once, and for all who wait: a query builder asks anew whenever it is waited for.
    const asked = Promise.resolve(answer)
    const end = (): void => {
      if (writes.get(store) === write) writes.delete(store)
    }
    const write: Write = { since: performance.now(), ended: asked.then(end, end) }
    writes.set(store, write)
    return asked
  }
}

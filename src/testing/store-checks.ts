import type { Awaitable } from '../model/awaitable.ts'
import type { KeyStore } from '../model/store.ts'
import { type Draft, makeBench, type Needs } from './check-bench.ts'
import { CREDIT_CHECKS } from './checks-credits.ts'
import { MOVE_CHECKS } from './checks-holds.ts'
import { LEASE_CHECKS } from './checks-leases.ts'
import { ENDED_CHECKS } from './checks-leases-ended.ts'
import { LIST_CHECKS } from './checks-list.ts'
import { LONGEST_CHECKS } from './checks-longest.ts'
import { NAME_CHECKS } from './checks-names.ts'
import { NOTE_CHECKS } from './checks-notes.ts'
import { RECORD_CHECKS } from './checks-records.ts'
import { REVOKE_CHECKS } from './checks-revoke.ts'
import { TAKE_CHECKS } from './checks-take.ts'
import { TEXT_CHECKS } from './checks-text.ts'
import { TOUCH_CHECKS } from './checks-touch.ts'
import { WATCH_CHECKS } from './checks-watch.ts'
import { WINDOW_CHECKS } from './checks-windows.ts'
import { inFiveSeconds } from './deadline.ts'

/** One promise of the storage contract, for any test runner: `test(check.name, async () => void (await check.run()))`. */
export interface StoreCheck {
  /** Short and stable, to select by. */
  readonly id: string
  /** What is promised. */
  readonly name: string
  /**
   * Rejects with an `Error` that says what to mend, at the latest after 5 seconds.
   * Resolves with `'absent'` where the store has not got the optional verb.
   */
  run(): Promise<'absent' | undefined>
}

/** Checks that there is nothing to check of without an optional verb; one of them may need more. */
const needing = (needs: Needs, drafts: readonly Draft[]) => drafts.map((draft): Draft => ({ needs, ...draft }))

const DRAFTS: readonly Draft[] = [
  ...RECORD_CHECKS,
  ...NAME_CHECKS,
  ...TEXT_CHECKS,
  ...LIST_CHECKS,
  ...LONGEST_CHECKS,
  ...needing('touch', TOUCH_CHECKS),
  ...needing('take', TAKE_CHECKS),
  ...needing('take', WINDOW_CHECKS),
  ...needing('lease', LEASE_CHECKS),
  ...needing('lease', ENDED_CHECKS),
  ...needing('move', CREDIT_CHECKS),
  ...needing('move', MOVE_CHECKS),
  ...needing('revokeWhere', REVOKE_CHECKS),
  ...needing('note', NOTE_CHECKS),
  ...needing('watch', WATCH_CHECKS),
]

/**
 * The promises of `KeyStore` as checks that any test runner can run, in any order and side by side:
 *
 * ```ts
 * for (const check of storeChecks(() => myStore())) test(check.name, async () => void (await check.run()))
 * ```
 *
 * @param make Gives the store. It is called once, when the first check runs; all of them share what it gave, each with
 * keys, owners and names of its own, which stay there afterwards. Whoever made the store closes it.
 */
export function storeChecks(make: () => Awaitable<KeyStore>): readonly StoreCheck[] {
  let made: Promise<KeyStore> | undefined
  const shared = (): Promise<KeyStore> => {
    made ??= (async () => make())()
    return made
  }
  return DRAFTS.map((draft) => ({ id: draft.id, name: draft.name, run: () => run(draft, shared) }))
}

async function run(draft: Draft, shared: () => Promise<KeyStore>): Promise<'absent' | undefined> {
  let doing = 'make'
  const held = async (): Promise<'absent' | undefined> => {
    const store = await shared()
    if ([draft.needs ?? []].flat().some((verb) => store[verb] === undefined)) return 'absent'
    const note = (verb: string): void => {
      doing = verb
    }
    await draft.hold(makeBench(store, note))
    return undefined
  }
  return inFiveSeconds(held(), () => `${doing}() did not answer`)
}

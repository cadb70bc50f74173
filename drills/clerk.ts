import type { Worker } from './fleet.ts'
import { now, pause } from './moment.ts'
import type { Issued } from './worker.ts'

/** What a store has acknowledged. */
export interface Ledger {
  /** Made, and not asked to be revoked since. */
  readonly active: readonly Issued[]
  readonly revoked: readonly (Issued & { readonly at: number })[]
  stop(): Promise<void>
}

const EVERY = 20

/** Makes keys in one process and revokes every other, and notes what was acknowledged: nothing else is certain. */
export function clerkAt(worker: Worker): Ledger {
  const active: Issued[] = []
  const revoked: (Issued & { readonly at: number })[] = []
  let isOver = false
  const work = keepWorking()
  return {
    active,
    revoked,
    stop() {
      isOver = true
      return work
    },
  }

  async function keepWorking(): Promise<void> {
    while (!isOver) {
      const due = now() + EVERY
      try {
        active.push(...(await worker.order({ do: 'create', input: { owner: 'clerk' }, count: 2 })))
        const one = active.shift()
        if (one === undefined) continue
        // Where this fails nobody knows what it is, and so it is in neither list.
        const [at = Number.NaN] = await worker.order({ do: 'revoke', ids: [one.id], every: 0 })
        revoked.push({ ...one, at })
      } catch {}
      await pause(Math.max(1, due - now()))
    }
  }
}

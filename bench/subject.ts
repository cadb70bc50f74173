import assert from 'node:assert/strict'
import type { Limits, Verdict } from 'keyward'

export const PREFIX = 'agk_live_'
/** So high that nothing is refused, however often a key is used; still small integers to the engine, as real limits are. */
export const HIGH: Limits = { minute: 1e9, hour: 2e9 }

export function isAdmitted(verdict: unknown): verdict is Extract<Verdict, { ok: true }> {
  return (verdict as Verdict).ok
}

export async function isDenied(verdict: Verdict | Promise<Verdict>, code: string): Promise<void> {
  const { ok, ...rest } = await verdict
  assert(!ok && 'code' in rest && rest.code === code, `${code} is told`)
}

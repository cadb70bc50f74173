import type { Access, ApiKeys, Credential, Demand, Denied, Hasher, KeyEvent, Verdict } from 'keyward'
import { KeywardError, sha256 } from 'keyward'

/** `'admitted'`, or the code of the refusal. */
export function codeOf(verdict: Verdict): string {
  return verdict.ok ? 'admitted' : verdict.code
}

/** What an instance says of a credential, as `codeOf`. */
export async function judged(keys: ApiKeys, credential: Credential, demand?: Demand): Promise<string> {
  return codeOf(await keys.verify(credential, demand))
}

/** The identity of an admission. */
export function accessIn(verdict: Verdict): Access {
  if (verdict.ok && verdict.access !== undefined) return verdict.access
  throw new Error(`no identity: ${codeOf(verdict)}`)
}

export function refusalIn(verdict: Verdict): Denied {
  if (!verdict.ok) return verdict
  throw new Error('it was admitted')
}

/** What a call throws or rejects with, which must be an error of ours. */
export async function failure(act: () => unknown): Promise<KeywardError> {
  try {
    await act()
  } catch (error) {
    if (error instanceof KeywardError) return error
    throw new Error(`it threw something else: ${String(error)}`, { cause: error })
  }
  throw new Error('it threw nothing')
}

/** Hears of everything. */
export function listener() {
  const events: KeyEvent[] = []
  return {
    events,
    onEvent: (event: KeyEvent) => {
      events.push(event)
    },
    of: <T extends KeyEvent['type']>(type: T) =>
      events.filter((event): event is Extract<KeyEvent, { type: T }> => event.type === type),
  }
}

/** A hasher that counts how often it computes; `waste` is a computation like any other. */
export function countingHasher(hasher: Hasher = sha256()) {
  const calls = { make: 0, check: 0, waste: 0 }
  const counting: Hasher = {
    ...hasher,
    make(text) {
      calls.make++
      return hasher.make(text)
    },
    check(text, stored) {
      calls.check++
      return hasher.check(text, stored)
    },
    waste(text) {
      calls.waste++
      return hasher.waste(text)
    },
  }
  return { hasher: counting, calls, computed: () => calls.check + calls.waste }
}

/** The facts of a request with these header lines. */
export function facts(...lines: readonly (readonly [string, string])[]) {
  return { rawHeaders: lines.flat(), peer: '203.0.113.9' }
}

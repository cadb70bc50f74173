import { createRequire } from 'node:module'
import type { hashRaw } from '@node-rs/argon2'
import { createApiKeys, type KeyStore, memoryStore } from 'keyward'
import { onTestFinished } from 'vitest'
import type { Texts } from './presenting.ts'

/** The lightest that is allowed: for tests of what happens, not of how long it takes. */
export const LIGHT = { memory: 7168, passes: 1 } as const

type HashRaw = typeof hashRaw

/** Puts something in place of the native function until the test ends; hashers that are made from now on call that. */
export function nativeArgon2(replacement: (real: HashRaw) => HashRaw): void {
  const native = createRequire(import.meta.url)('@node-rs/argon2') as { hashRaw: HashRaw }
  const real = native.hashRaw
  native.hashRaw = replacement(real)
  onTestFinished(() => {
    native.hashRaw = real
  })
}

/** Real hashes that wait to be let go one by one, and what was asked of them. */
export function heldArgon2() {
  const asked: Parameters<HashRaw>[] = []
  const gates: (() => void)[] = []
  let held = false
  let running = 0
  let most = 0
  nativeArgon2((real) => async (...args) => {
    asked.push(args)
    running++
    most = Math.max(most, running)
    if (held) await new Promise<void>((resolve) => gates.push(resolve))
    const hash = await real(...args)
    running--
    return hash
  })
  return {
    asked,
    /** How many ran side by side at most. */
    most: () => most,
    running: () => running,
    /** From now on hashes wait. */
    hold: () => {
      held = true
    },
    /** Lets all go, and those that come. */
    release: () => {
      held = false
      for (const go of gates.splice(0)) go()
    },
  }
}

/** Well-formed texts with the id of a key and secrets that were never issued. */
export async function wrongSecrets(id: string, prefix: string, count: number, pair = false): Promise<Texts[]> {
  const forgetful: KeyStore = { ...memoryStore(), insert: () => {} }
  const elsewhere = createApiKeys({ prefix, pair, store: forgetful, generateId: () => id })
  return Promise.all(Array.from({ length: count }, () => elsewhere.create({ owner: 'nobody' })))
}

/** Lets everything run that is due: microtasks and callbacks, not the hashes of other threads. */
export async function turns(count = 5): Promise<void> {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve))
}

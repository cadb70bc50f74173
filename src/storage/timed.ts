import type { Awaitable } from '../model/awaitable.ts'
import { hasCode, KeywardError } from '../model/errors.ts'
import { own } from '../model/own.ts'
import { redact } from '../model/redact.ts'
import type { KeyStore } from '../model/store.ts'

/** A bulk change may take long, but not for ever. */
const LONG = 600_000

/**
 * A store whose every answer comes in time or not at all: what takes longer than `timeout` ms, throws or rejects is a
 * `STORE` error. A change that timed out may have happened: its error says `outcome: 'unknown'`.
 */
export function timedStore(store: KeyStore, timeout: number): KeyStore {
  const call = <T>(verb: string, changes: boolean, run: () => Awaitable<T>, patience = timeout): Awaitable<T> => {
    try {
      const answer = run()
      return isThenable(answer) ? inTime(verb, changes, answer, patience) : answer
    } catch (error) {
      throw storeError(verb, error, changes)
    }
  }
  const { take, move, touch, revokeWhere, watch } = store

  return {
    find: (id) => call('find', false, () => store.find(id)),
    insert: (key) => call('insert', true, () => store.insert(own(key))),
    replace: (key, ifVersion) => call('replace', true, () => store.replace(own(key), ifVersion)),
    remove: (id) => call('remove', true, () => store.remove(id)),
    list: (query) => call('list', false, () => store.list(own(query))),
    ...(touch && { touch: (marks) => call('touch', false, () => touch.call(store, marks)) }),
    ...(take && {
      take: (id, version, spend, now) => call('take', false, () => take.call(store, id, version, spend, now)),
    }),
    ...(move && { move: (credit, now) => call('move', true, () => move.call(store, credit, now)) }),
    ...(revokeWhere && {
      revokeWhere: (filter, at, reason) =>
        call('revokeWhere', true, () => revokeWhere.call(store, own(filter), at, reason), LONG),
    }),
    ...(watch && { watch: (onChange) => watch.call(store, onChange) }),
  }
}

function isThenable<T>(answer: Awaitable<T>): answer is Promise<T> {
  return typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function'
}

function inTime<T>(verb: string, changes: boolean, answer: Promise<T>, timeout: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(storeError(verb, new Error(`no answer within ${timeout} ms`), changes))
    const timer = setTimeout(late, timeout)
    timer.unref()
    answer.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error) => {
        clearTimeout(timer)
        reject(storeError(verb, error, changes))
      },
    )
  })
}

/** The driver's words without its secrets; its own error may hold a connection string, so it is not passed on. */
function storeError(verb: string, error: unknown, changes: boolean): Error {
  if (hasCode(error, 'CONFLICT') || hasCode(error, 'INPUT') || hasCode(error, 'CONFIG')) return error
  if (hasCode(error, 'STORE'))
    return new KeywardError('STORE', redact(error.message), changes ? { outcome: 'unknown' } : {})
  const text = redact(error instanceof Error ? error.message : String(error))
  return new KeywardError('STORE', `the store's ${verb} failed: ${text}`, changes ? { outcome: 'unknown' } : {})
}

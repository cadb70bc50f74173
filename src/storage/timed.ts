import type { Awaitable } from '../model/awaitable.ts'
import { hasCode, KeywardError } from '../model/errors.ts'
import type { StoredKey } from '../model/key.ts'
import { own } from '../model/own.ts'
import { redact } from '../model/redact.ts'
import type { Filter, KeyStore, ListQuery } from '../model/store.ts'

/** A bulk change may take long, but not for ever. */
const LONG = 600_000
const CHANGES = { changes: true }

/**
 * A store whose every answer comes in time or not at all: what takes longer than `timeout` ms, throws or rejects is a
 * `STORE` error. A change that timed out may have happened: its error says `outcome: 'unknown'`.
 */
export function timedStore(store: KeyStore, timeout: number): KeyStore {
  const { take, move, touch, revokeWhere, watch } = store

  return {
    find: timed('find', store.find),
    insert: timed('insert', (key: StoredKey) => store.insert(own(key)), CHANGES),
    replace: timed('replace', (key: StoredKey, ifVersion: number) => store.replace(own(key), ifVersion), CHANGES),
    remove: timed('remove', store.remove, CHANGES),
    list: timed('list', (query: ListQuery) => store.list(own(query))),
    ...(touch && { touch: timed('touch', touch) }),
    ...(take && { take: timed('take', take) }),
    ...(move && { move: timed('move', move, CHANGES) }),
    ...(revokeWhere && {
      revokeWhere: timed(
        'revokeWhere',
        (filter: Filter, at: number, reason?: string) => revokeWhere.call(store, own(filter), at, reason),
        { changes: true, patience: LONG },
      ),
    }),
    ...(watch && { watch: (onChange) => watch.call(store, onChange) }),
  }

  function timed<Given extends unknown[], Answer>(
    verb: string,
    run: (...given: Given) => Awaitable<Answer>,
    { changes = false, patience = timeout }: { readonly changes?: boolean; readonly patience?: number } = {},
  ): (...given: Given) => Awaitable<Answer> {
    return (...given) => {
      try {
        const answer = run.apply(store, given)
        return isThenable(answer) ? inTime(verb, changes, answer, patience) : answer
      } catch (error) {
        throw storeError(verb, error, changes)
      }
    }
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

import { type Awaitable, isThenable } from '../model/awaitable.ts'
import { hasCode, KeywardError } from '../model/errors.ts'
import { noteLate } from '../model/late.ts'
import { own } from '../model/own.ts'
import { messageOf } from '../model/redact.ts'
import type { KeyStore } from '../model/store.ts'
import { inBackground } from '../model/timer.ts'
import { isChange } from './accounts.ts'
import { breakerOf } from './breaker.ts'
import { noted, oneTouch } from './one-touch.ts'
import { ownSpend } from './own-spend.ts'
import { notePatience } from './patience.ts'

/** A bulk change may take long, but not for ever. */
const LONG = 600_000
const CHANGES = { changes: true }

/**
 * A store whose every answer comes in time or not at all: what takes longer than `timeout` ms, throws or rejects is a
 * `STORE` error. A change that timed out may have happened: its error says `outcome: 'unknown'`. Use marks are no change,
 * but where a store says that of them itself. A store that is dead is not asked, but for a probe now and then.
 *
 * What it is given reaches the store as it is by itself: what a prototype carries counts nowhere.
 */
export function timedStore(store: KeyStore, timeout: number): KeyStore {
  const { take, lease, move, touch, revokeWhere, note, notes, watch } = store
  const breaker = breakerOf(store)
  notePatience(store, timeout)

  return {
    find: timed('find', store.find),
    insert: timed('insert', (key) => store.insert(own(key)), CHANGES),
    replace: timed('replace', (key, ifVersion) => store.replace(own(key), ifVersion), CHANGES),
    remove: timed('remove', store.remove, CHANGES),
    list: timed('list', (query) => store.list(own(query))),
    ...(touch && { touch: oneTouch(store, timed('touch', noted(store, touch)), timeout) }),
    ...(take && {
      take: timed('take', (id, version, spend, now) => take.call(store, id, version, ownSpend(spend), now)),
    }),
    ...(lease && {
      lease: timed('lease', (id, version, spend, now) => lease.call(store, id, version, own(spend), now)),
    }),
    ...(move && { move: moving((credit, now) => move.call(store, credit, now)) }),
    ...(revokeWhere && {
      revokeWhere: timed('revokeWhere', (filter, ...how) => revokeWhere.call(store, own(filter), ...how), {
        changes: true,
        patience: LONG,
      }),
    }),
    ...(note && { note: timed('note', (all, keep) => note.call(store, all.map(own), own(keep)), CHANGES) }),
    ...(notes && { notes: timed('notes', (query) => notes.call(store, own(query))) }),
    ...(watch && { watch: (...told) => watch.call(store, ...told) }),
  }

  /** To ask how a balance stands changes nothing. */
  function moving(run: NonNullable<KeyStore['move']>): NonNullable<KeyStore['move']> {
    const [look, change] = [timed('move', run), timed('move', run, CHANGES)]
    return (given, now) => {
      const credit = own(given)
      return (isChange(credit) ? change : look)(credit, now)
    }
  }

  function timed<Given extends unknown[], Answer>(
    verb: string,
    run: (...given: Given) => Awaitable<Answer>,
    { changes = false, patience = timeout }: { readonly changes?: boolean; readonly patience?: number } = {},
  ): (...given: Given) => Awaitable<Answer> {
    return (...given) => {
      const isProbe = breaker.isOpen
      if (isProbe && !breaker.mayProbe()) throw notAsked(verb, earlier())
      try {
        const answer = run.apply(store, given)
        if (isThenable(answer)) return inTime(answer, patience, (error) => fault(error, isProbe, verb, changes))
        if (breaker.faults > 0) breaker.answered()
        return answer
      } catch (error) {
        throw fault(error, isProbe, verb, changes)
      }
    }
  }

  function inTime<T>(answer: Promise<T>, patience: number, failed: (error: unknown) => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      let late = false
      const timer = setTimeout(() => {
        late = true
        reject(noteLate(failed(new Error(`no answer within ${patience} ms${earlier()}`))))
      }, patience)
      inBackground(timer)
      answer.then(
        (value) => {
          clearTimeout(timer)
          // Also too late for this call: a store that is slow lives.
          if (breaker.faults > 0) breaker.answered()
          resolve(value)
        },
        (error) => {
          clearTimeout(timer)
          if (!late) reject(failed(error))
          // Nobody waits for it any more, but it says why: the faults that follow tell it.
          else if (!isAnswer(error)) breaker.reason = messageOf(error)
        },
      )
    })
  }

  function earlier(): string {
    return breaker.reason && ` (an earlier call failed at last: ${breaker.reason})`
  }

  function fault(error: unknown, isProbe: boolean, verb: string, changes: boolean): Error {
    if (hasCode(error, 'CONFLICT')) breaker.answered()
    if (isAnswer(error)) return error
    breaker.failed(timeout, isProbe)
    return storeError(verb, error, changes)
  }
}

/** What the store refuses is an answer like any other; what it fails at is a fault. */
function isAnswer(error: unknown): error is KeywardError {
  return hasCode(error, 'CONFLICT') || hasCode(error, 'INPUT') || hasCode(error, 'CONFIG')
}

function notAsked(verb: string, why: string): KeywardError {
  return new KeywardError('STORE', `the store's ${verb} was not asked: nothing answered lately${why}`)
}

/** The driver's words without its secrets; its own error may hold a connection string, so it is not passed on. */
function storeError(verb: string, error: unknown, changes: boolean): KeywardError {
  const isUnknown = changes || (hasCode(error, 'STORE') && error.outcome === 'unknown')
  const details = isUnknown ? ({ outcome: 'unknown' } as const) : {}
  if (hasCode(error, 'STORE')) return new KeywardError('STORE', error.message, details)
  return new KeywardError('STORE', `the store's ${verb} failed: ${messageOf(error)}`, details)
}

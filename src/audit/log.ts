import { randomBytes } from 'node:crypto'
import type { Clock } from '../model/clock.ts'
import { type Duration, parseDuration } from '../model/duration.ts'
import { flawed, hasCode, type Issue, type KeywardError } from '../model/errors.ts'
import type { KeyEvent } from '../model/event.ts'
import { isObject } from '../model/is-object.ts'
import { own } from '../model/own.ts'
import { present } from '../model/present.ts'
import { messageOf, show, unwanted } from '../model/redact.ts'
import type { KeyStore, NotesQuery } from '../model/store.ts'
import { warnOnce } from '../model/warn.ts'
import { isWhole } from '../model/whole.ts'
import { timedStore } from '../storage/timed.ts'
import { type AuditEntry, entryOf, noteOf } from './entry.ts'
import { createWriter } from './writer.ts'

export interface AuditLogOptions {
  /** How many entries are kept of each owner, the newest: 1 to 1,000,000. @default 1000 */
  readonly perOwner?: number | undefined
  /** How long they are kept, ms or text: at least `'1s'`. @default '365d' */
  readonly maxAge?: Duration | undefined
  /** How long a call of the store may take, ms or text. @default '2s' */
  readonly timeout?: Duration | undefined
  /** Hears of entries that could not be written yet, and of those that were lost. @default one warning of the process */
  readonly onError?: ((error: unknown) => void) | undefined
  /** @default the system's */
  readonly clock?: Pick<Clock, 'now'> | undefined
}

/** Which entries: those of one owner that match every condition exactly. */
export interface AuditQuery {
  /** Whose keys; `''` for what concerned no single owner. */
  readonly owner: string
  /** The id of a key. @default any */
  readonly key?: string | undefined
  /** The resource of the key. @default any */
  readonly resource?: string | undefined
  /** Who did it. @default anybody */
  readonly actor?: string | undefined
  /** Only of keys with these prefixes, and what concerned several keys or a balance. */
  readonly prefixes?: readonly string[] | undefined
  /** How many a page has at most: 1 to 100. @default 50 */
  readonly limit?: number | undefined
  /** As the page before returned it. @default the first page */
  readonly cursor?: string | undefined
}

/** Some of the entries, the newest first. */
export interface AuditPage {
  readonly items: readonly AuditEntry[]
  /** For the next page; absent on the last. A page may be short while it is present. */
  readonly cursor?: string
}

export interface AuditLog {
  /** For `createApiKeys({ onEvent })`. Keeps changes, in the background: it delays nothing, and never throws. */
  readonly onEvent: (event: KeyEvent) => void
  /** @throws KeywardError `INPUT` for a wrong query, `STORE` */
  list(query: AuditQuery): Promise<AuditPage>
  /** Resolves when all that was heard is in the store. @throws KeywardError `STORE` */
  flush(): Promise<void>
  /** Writes what waits, and hears nothing more. The store is closed by whoever made it. */
  close(): Promise<void>
}

/**
 * Who did what to which key, when, from where, with before and after, in the store that holds the keys.
 * @throws KeywardError `CONFIG` for a store without `note` and `notes`, and for each wrong option
 */
export function auditLog(store: KeyStore, options: AuditLogOptions = {}): AuditLog {
  const { perOwner, maxAge, timeout, onError, clock } = parseOptions(store, options)
  const { note, notes } = timedStore(store, timeout)
  if (note === undefined || notes === undefined) throw config([{ path: 'store', message: NO_NOTES }])
  const since = () => clock.now() - maxAge
  const writer = createWriter({
    write: async (some) => note(some, { most: perOwner, since: since() }),
    onError: quietly(onError),
  })
  const nextId = countingIds()

  return {
    onEvent(event) {
      try {
        const kept = noteOf(event, nextId())
        if (kept !== undefined) writer.add(kept)
      } catch (error) {
        quietly(onError)(error)
      }
    },
    async list(query) {
      const asked = parseQuery(query)
      // Whoever has just done something sees it. What cannot be written now must not hide what was.
      await writer.flush().catch(() => {})
      const page = own(await notes({ ...asked, since: since() }))
      const items = page.items.flatMap((one) => entryOf(one) ?? [])
      return page.cursor === undefined ? { items } : { items, cursor: page.cursor }
    },
    flush: writer.flush,
    close: writer.close,
  }
}

const NO_NOTES = 'must have note() and notes()'

/** Within one moment, those of one process go in the order in which they were made. */
function countingIds(): () => string {
  const process = randomBytes(9).toString('hex')
  let count = 0
  return () => `${(count++).toString(36).padStart(9, '0')}-${process}`
}

function quietly(onError: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    // Whatever comes of it, at once or later: nobody is left who could hear of it.
    const told = async () => onError(error)
    told().catch(() => {})
  }
}

interface Settings {
  readonly perOwner: number
  readonly maxAge: number
  readonly timeout: number
  readonly onError: (error: unknown) => void
  readonly clock: Pick<Clock, 'now'>
}

const OPTIONS = ['perOwner', 'maxAge', 'timeout', 'onError', 'clock']
const MOST_PER_OWNER = 1_000_000
/** A timer of Node's that is longer than 24.8 days ends at once. */
const LONGEST_TIMEOUT = 3_600_000

function parseOptions(store: unknown, options: AuditLogOptions): Settings {
  if (!isObject(store)) throw config([{ path: 'store', message: 'must be a store' }])
  if (!isObject(options)) throw config([{ path: '', message: 'must be an object' }])
  const given = own(options)
  const { perOwner = 1_000, onError = warn, clock = { now: Date.now } } = given
  const [maxAge = 0, timeout = 0] = [given.maxAge ?? '365d', given.timeout ?? '2s'].map(parseDuration)
  const issues: Issue[] = []
  const wrong = (path: keyof AuditLogOptions, message: string) =>
    issues.push({ path, message: `${message}, not ${show(given[path])}` })
  for (const [path, value] of Object.entries(given)) {
    if (!OPTIONS.includes(path)) issues.push({ path, message: unwanted('is not an option', value) })
  }
  if (!isWhole(perOwner, 1, MOST_PER_OWNER)) {
    wrong('perOwner', `must be a whole number from 1 to ${MOST_PER_OWNER}`)
  }
  if (maxAge < 1_000) wrong('maxAge', "must be a time such as '90d', at least '1s'")
  if (timeout < 1 || timeout > LONGEST_TIMEOUT) wrong('timeout', "must be a time such as '2s', at most '1h'")
  if (typeof onError !== 'function') wrong('onError', 'must be a function')
  if (typeof clock?.now !== 'function') wrong('clock', 'must be { now() }')
  if (issues.length > 0) throw config(issues)
  return { perOwner, maxAge, timeout, onError, clock }
}

function parseQuery(query: AuditQuery): Omit<NotesQuery, 'since'> {
  const { owner, prefixes, limit = 50, ...texts } = own(Object(query) as AuditQuery)
  const issues: Issue[] = []
  if (typeof owner !== 'string') issues.push({ path: 'owner', message: `must be text, not ${show(owner)}` })
  if (!isWhole(limit, 1, 100)) {
    issues.push({ path: 'limit', message: `must be a whole number from 1 to 100, not ${show(limit)}` })
  }
  if (prefixes !== undefined && !Array.isArray(prefixes)) issues.push({ path: 'prefixes', message: 'must be a list' })
  const known = Object.entries(texts).filter(([, value]) => value !== undefined)
  for (const [path, value] of known) {
    if (!['key', 'resource', 'actor', 'cursor'].includes(path)) issues.push({ path, message: 'is not a condition' })
    else if (typeof value !== 'string') issues.push({ path, message: `must be text, not ${show(value)}` })
  }
  if (issues.length > 0) throw failed('INPUT', issues)
  return { owner, limit, ...Object.fromEntries(known), ...present({ prefixes }) }
}

function warn(error: unknown): void {
  const code = hasCode(error, 'STORE') ? 'KEYWARD_AUDIT' : 'KEYWARD_AUDIT_FAULT'
  warnOnce(
    code,
    `The audit log could not be written: ${messageOf(error)}. Later failures are not reported; onError hears of all.`,
  )
}

function config(issues: readonly Issue[]): KeywardError {
  return failed('CONFIG', issues)
}

function failed(code: 'CONFIG' | 'INPUT', issues: readonly Issue[]): KeywardError {
  return flawed(code, issues, { where: 'auditLog: ', whole: 'options' })
}

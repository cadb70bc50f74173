import { keyOfAccount } from '../accounts.ts'
import type { Place } from '../cursor.ts'
import { escapeText, escapeUnit, MARK, unescapeText } from '../escaping.ts'

/** What belongs to one id, owner, prefix or name has the same text in braces, and so lies in one slot of a Cluster. */
export interface Names {
  /** The records of a key and what lies beside it, in the order in which scripts want them. */
  readonly record: (id: string) => string
  readonly windows: (id: string) => string
  readonly purse: (tag: string) => string
  readonly ends: (tag: string) => string
  /** All keys of an owner, or of a prefix, and those entries that have no record. */
  readonly ofOwner: (owner: string) => Index
  readonly ofPrefix: (prefix: string) => Index
  readonly claim: (uniqueName: string) => string
  /** With `replicas`: the changes of a key that replicas may not have yet, and what is written to be waited for. */
  readonly pending: (id: string) => string
  readonly mark: string
  readonly channel: string
}

export interface Index {
  readonly entries: string
  readonly suspects: string
}

export function namesIn(namespace: string, channel: string): Names {
  const name = (kind: string) => (text: string) => `${namespace}:${kind}:{${tag(text)}}`
  const index = (kind: string) => (text: string) => ({
    entries: name(kind)(text),
    suspects: name(`${kind}-suspects`)(text),
  })
  return {
    record: name('key'),
    windows: name('windows'),
    purse: name('purse'),
    ends: name('ends'),
    ofOwner: index('owner'),
    ofPrefix: index('prefix'),
    claim: name('name'),
    pending: name('pending'),
    mark: `${namespace}:mark`,
    channel,
  }
}

/** Where the balance of an account lies: with its key, or with its owner (whose account begins with a colon). */
export function tagOfAccount(account: string): string {
  return keyOfAccount(account) ?? account
}

/** A member of an index: members of one score go byte by byte, and so by time, then id. */
export function memberOf({ createdAt, id }: Place): string {
  return timeText(createdAt) + escapeText(id)
}

export function placeOf(member: string): Place {
  return { createdAt: Number(member.slice(0, DIGITS)), id: unescapeText(member.slice(DIGITS)) }
}

const DIGITS = 16
/** Nearly every text: it needs no other. */
const PLAIN = /^[\w.:-]+$/

/** A brace in it would end the part of a name that decides its slot, and an empty one would be none. */
function tag(text: string): string {
  if (PLAIN.test(text)) return text
  return text === '' ? MARK : escapeText(text).replace(/[{}]/g, escapeUnit)
}

function timeText(time: number): string {
  return String(Math.max(0, Math.floor(time))).padStart(DIGITS, '0')
}

import type { KeyRecord } from '../../model/key.ts'
import type { ConsoleSettings } from '../settings.ts'
import { addressFlaw, addressLines } from './addresses.ts'
import { localTime } from './format.ts'
import { offers } from './offers.ts'
import type { Say } from './texts.ts'
import { isNamed, lengthOf, numberOf, ownOf, windowText } from './windows.ts'

/** What the form holds: text as it is typed. */
export interface Draft {
  readonly name: string
  readonly description: string
  readonly environment: string
  readonly resource: string
  readonly scopes: ReadonlySet<string>
  /** Where there is no vocabulary: one a line. */
  readonly scopeText: string
  /** By window name. */
  readonly limits: Readonly<Record<string, string>>
  readonly addresses: string
  readonly expiry: 'never' | 'days' | 'custom'
  readonly days: number
  /** As a field for date and time has it: in the reader's own zone. */
  readonly date: string
}

const DAY = 86_400_000
const MOST_ADDRESSES = 1000

export function draftOf(record: KeyRecord | undefined, settings: ConsoleSettings): Draft {
  const scopes = record?.scopes ?? []
  const limits = Object.entries(record?.limits ?? {})
  return {
    name: record?.name ?? '',
    description: record?.description ?? '',
    environment: record?.environment ?? settings.environments[0] ?? '',
    resource: record?.resource ?? '',
    scopes: new Set(scopes),
    scopeText: scopes.join('\n'),
    limits: Object.fromEntries(limits.map(([name, limit]) => [name, String(numberOf(limit))])),
    addresses: (record?.allowedIps ?? []).join('\n'),
    expiry: record?.expiresAt === undefined ? 'never' : 'custom',
    days: 30,
    date: record?.expiresAt === undefined ? '' : localTime(record.expiresAt),
  }
}

/** What is wrong with it by field, as far as can be told without asking the service. */
export function flawsOf(
  draft: Draft,
  settings: ConsoleSettings,
  say: Say,
  { record, now }: { readonly record: KeyRecord | undefined; readonly now: number },
): Record<string, string> {
  const flaws: Record<string, string | undefined> = {
    name: nameFlaw(draft, settings, say),
    description: draft.description.length > 1000 ? say('tooLong', { most: 1000 }) : undefined,
    resource: draft.resource.length > 256 ? say('tooLong', { most: 256 }) : undefined,
    scopes: scopesFlaw(draft, settings, say),
    limits: limitsFlaw(draft, settings, say, record === undefined),
    allowedIps: addressesFlaw(draft.addresses, say),
    // A key that has expired may stay so.
    expiresAt: hasSameExpiry(draft, draftOf(record, settings)) ? undefined : expiryFlaw(draft, say, now),
  }
  return Object.fromEntries(Object.entries(flaws).filter((one): one is [string, string] => one[1] !== undefined))
}

/** The body of `POST /`: what is `undefined` is no part of JSON. */
export function creation(draft: Draft, settings: ConsoleSettings, now: number): object {
  const limits = Object.entries(draft.limits).filter(([, text]) => text.trim() !== '')
  const addresses = addressLines(draft.addresses)
  const scopes = scopesOf(draft, settings)
  return {
    name: draft.name.trim() || undefined,
    description: draft.description.trim() || undefined,
    environment: (offers(settings, 'environment') && draft.environment) || undefined,
    resource: (settings.resource === undefined && draft.resource.trim()) || undefined,
    scopes: scopes.length === 0 ? undefined : scopes,
    limits: limits.length === 0 ? undefined : Object.fromEntries(limits.map(([name, text]) => [name, Number(text)])),
    allowedIps: addresses.length === 0 ? undefined : addresses,
    expiresAt: draft.expiry === 'never' ? undefined : momentOf(draft, now),
  }
}

/** The body of `PATCH /{id}`: what differs from the record; the rest is `undefined`, no part of JSON. */
export function changes(draft: Draft, record: KeyRecord, settings: ConsoleSettings, now: number): object {
  const before = draftOf(record, settings)
  const addresses = addressLines(draft.addresses)
  const scopes = scopesOf(draft, settings)
  const limits = changedLimits(draft, record, before)
  const same = (field: 'name' | 'description' | 'addresses') => draft[field].trim() === before[field].trim()
  const sameScopes = scopes.length === before.scopes.size && scopes.every((scope) => before.scopes.has(scope))
  return {
    name: same('name') ? undefined : draft.name.trim() || null,
    description: same('description') ? undefined : draft.description.trim() || null,
    scopes: sameScopes ? undefined : scopes,
    limits,
    allowedIps: same('addresses') ? undefined : addresses.length === 0 ? null : addresses,
    expiresAt: hasSameExpiry(draft, before) ? undefined : draft.expiry === 'never' ? null : momentOf(draft, now),
  }
}

/** A list where a window has a length of its own, else by name; `null` lifts a window. */
function changedLimits({ limits }: Draft, record: KeyRecord, before: Draft): object | undefined {
  const changed = Object.entries(limits).filter(([name, text]) => text.trim() !== (ownOf(before.limits, name) ?? ''))
  if (changed.length === 0) return undefined
  const numberFrom = (text: string) => (text.trim() === '' ? null : Number(text))
  if (changed.every(([name]) => isNamed(name))) {
    return Object.fromEntries(changed.map(([name, text]) => [name, numberFrom(text)]))
  }
  return changed.map(([name, text]) => ({ name, limit: numberFrom(text), window: lengthOf(name, record.limits[name]) }))
}

function scopesOf(draft: Draft, settings: ConsoleSettings): readonly string[] {
  if (settings.scopes !== undefined) return [...draft.scopes]
  return draft.scopeText.split(/[\s,]+/).filter((scope) => scope !== '')
}

function nameFlaw({ name }: Draft, settings: ConsoleSettings, say: Say): string | undefined {
  if (name.trim() === '' && settings.names !== 'free' && offers(settings, 'name')) return say('nameRequired')
  return name.trim().length > 100 ? say('tooLong', { most: 100 }) : undefined
}

function scopesFlaw(draft: Draft, settings: ConsoleSettings, say: Say): string | undefined {
  if (!offers(settings, 'scopes')) return undefined
  const scopes = scopesOf(draft, settings)
  if (settings.scopes !== undefined) return scopes.length === 0 ? say('scopesRequired') : undefined
  const wrong = scopes.find((scope) => !/^(\*|[\w.-]+(:[\w.-]+)*(:\*)?)$/.test(scope) || scope.length > 128)
  return wrong === undefined ? undefined : say('scopeWrong', { text: wrong })
}

/** A key without a limit of its own gets the default when it is made; later, nothing lifts what the service allows at most. */
function limitsFlaw({ limits }: Draft, settings: ConsoleSettings, say: Say, isNew: boolean): string | undefined {
  for (const [name, text] of Object.entries(limits)) {
    const window = windowText(name, say)
    const most = ownOf(settings.limits.max, name)
    if (!/^\d{0,15}$/.test(text.trim())) return say('limitWrong', { window })
    const isLifted = !isNew && text.trim() === ''
    if (most !== undefined && (isLifted || Number(text) > most)) return say('limitTooHigh', { window, most })
  }
  return undefined
}

export function addressesFlaw(text: string, say: Say): string | undefined {
  if (addressLines(text).length > MOST_ADDRESSES) return say('addressesMost')
  const flaw = addressFlaw(text)
  if (flaw === undefined) return undefined
  if (flaw.kind === 'length') return say('addressLength', { line: flaw.line, most: flaw.most })
  if (flaw.kind === 'host bits') return say('addressHostBits', { line: flaw.line, suggestion: flaw.suggestion })
  return say('addressWrong', { line: flaw.line, text: flaw.text })
}

function hasSameExpiry(draft: Draft, before: Draft): boolean {
  return draft.expiry === before.expiry && draft.date === before.date
}

function expiryFlaw({ expiry, date }: Draft, say: Say, now: number): string | undefined {
  if (expiry !== 'custom') return undefined
  const moment = new Date(date).getTime()
  if (Number.isNaN(moment)) return say('expiryRequired')
  return moment <= now ? say('expiryPast') : undefined
}

function momentOf({ expiry, days, date }: Draft, now: number): string {
  return new Date(expiry === 'days' ? now + days * DAY : date).toISOString()
}

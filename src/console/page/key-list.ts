import { html, nothing, type TemplateResult } from 'lit/html.js'
import type { KeyRecord, Status } from '../../model/key.ts'
import type { ConsoleSettings } from '../settings.ts'
import type { Format } from './format.ts'
import { type IconName, icon } from './icons.ts'
import { offers } from './offers.ts'
import { overlapOf } from './overlap.ts'
import type { Say, TextName } from './texts.ts'
import { limitsOf, numberOf, shortText } from './windows.ts'

/** What can be done to a key of the list. */
export type Deed = 'connection' | 'edit' | 'rotate' | 'disable' | 'enable' | 'revoke' | 'remove'

interface ListContext {
  readonly say: Say
  readonly format: Format
  readonly settings: ConsoleSettings
  act(deed: Deed, record: KeyRecord): void
}

interface DeedKind {
  readonly deed: Deed
  readonly text: TextName
  readonly icon: IconName
  /** What whoever looks must be allowed. */
  readonly verb: string
  readonly on: readonly Status[]
}

/** Of those in one place there is one at most. */
const DEEDS: readonly (readonly DeedKind[])[] = [
  [{ deed: 'connection', text: 'copyConnection', icon: 'plug', verb: 'list', on: ['active', 'disabled', 'expired'] }],
  [{ deed: 'edit', text: 'edit', icon: 'edit', verb: 'update', on: ['active', 'disabled', 'expired'] }],
  [{ deed: 'rotate', text: 'rotate', icon: 'rotate', verb: 'rotate', on: ['active'] }],
  [
    { deed: 'disable', text: 'disable', icon: 'pause', verb: 'disable', on: ['active'] },
    { deed: 'enable', text: 'enable', icon: 'play', verb: 'enable', on: ['disabled'] },
  ],
  [{ deed: 'revoke', text: 'revoke', icon: 'ban', verb: 'revoke', on: ['active', 'disabled', 'expired'] }],
  [{ deed: 'remove', text: 'remove', icon: 'trash', verb: 'remove', on: ['active', 'disabled', 'expired', 'revoked'] }],
]

interface Column {
  readonly title: TextName
  /** What people must be able to set, for it to be there. */
  readonly field?: string
  cell(record: KeyRecord, context: ListContext): unknown
}

/** Between the name and what can be done. */
const COLUMNS: readonly Column[] = [
  { title: 'columnScopes', field: 'scopes', cell: scopesCell },
  {
    title: 'columnLastUsed',
    cell: ({ lastUsedAt }, context) => momentCell(lastUsedAt, 'never', context),
  },
  { title: 'columnUsage', cell: usageCell },
  {
    title: 'columnExpires',
    field: 'expiresAt',
    cell: ({ expiresAt }, context) => momentCell(expiresAt, 'expiryNever', context),
  },
  { title: 'columnStatus', cell: statusCell },
]

function columnsFor(settings: ConsoleSettings): readonly Column[] {
  return COLUMNS.filter(({ field }) => field === undefined || offers(settings, field))
}

/** The roles are said again: where the table becomes a list of cards, browsers forget that it is one. */
export function keyTable(records: readonly KeyRecord[], context: ListContext): TemplateResult {
  const { say, settings } = context
  const titles: readonly TextName[] = ['columnName', ...columnsFor(settings).map(({ title }) => title), 'columnActions']
  return html`<table role="table" aria-label=${say('listLabel')}>
    <thead role="rowgroup">
      <tr role="row">${titles.map((name) => html`<th role="columnheader" scope="col">${say(name)}</th>`)}</tr>
    </thead>
    <tbody role="rowgroup">${records.map((record) => keyRow(record, context))}</tbody>
  </table>`
}

function keyRow(record: KeyRecord, context: ListContext): TemplateResult {
  const { say } = context
  return html`<tr role="row" data-key=${record.id} class=${record.status}>
    <th role="rowheader" scope="row">${nameCell(record, context)}</th>
    ${columnsFor(context.settings).map(({ title, cell }) => html`<td role="cell" class=${title} data-label=${say(title)}>${cell(record, context)}</td>`)}
    <td role="cell" class="deeds">${DEEDS.map((kinds) => deedButton(kinds, record, context))}</td>
  </tr>`
}

/** Each in its place, whatever others there are: the focus stays on what it was on, or on what takes that back. */
function deedButton(kinds: readonly DeedKind[], record: KeyRecord, { say, settings, act }: ListContext) {
  const kind = kinds.find(({ verb, on }) => settings.may.includes(verb) && on.includes(record.status))
  if (kind === undefined) return nothing
  const { deed, text, icon: drawn } = kind
  const look = deed === 'remove' || deed === 'revoke' ? 'icon danger' : 'icon'
  return html`<button type="button" class=${look} data-deed=${deed} aria-label=${say(text)} title=${say(text)} @click=${() => act(deed, record)}>${icon(drawn)}</button>`
}

function nameCell(
  { name, display, resource, environment, description, createdAt }: KeyRecord,
  { say, format, settings }: ListContext,
) {
  const created = say('createdAt', { time: format.moment(createdAt) })
  return html`<span class=${name === undefined ? 'name unnamed' : 'name'} title=${description ?? created}>${name ?? say('unnamed')}</span>
    <span class="under"><code>${display}</code>${environment === undefined ? nothing : html`<span class="tag">${environment}</span>`}${resource === undefined || resource === settings.resource ? nothing : html`<span class="tag mono">${resource}</span>`}</span>`
}

/** The first few; the rest are told when they are pointed at, and to whoever listens. */
function scopesCell({ scopes }: KeyRecord, { say }: ListContext) {
  if (scopes.length === 0) return html`<span class="muted">${say('noScopes')}</span>`
  const shown = scopes.slice(0, SHOWN_SCOPES)
  const rest = scopes.slice(SHOWN_SCOPES)
  return html`<span class="scopes">${shown.map((scope) => html`<span class="tag mono">${scope}</span>`)}${
    rest.length === 0
      ? nothing
      : html`<span class="tag more" title=${rest.join('\n')}>${say('moreScopes', { count: rest.length })}<span class="unseen">${rest.join(', ')}</span></span>`
  }</span>`
}

const SHOWN_SCOPES = 3

function momentCell(iso: string | undefined, none: TextName, { say, format }: ListContext) {
  if (iso === undefined) return html`<span class="muted">${say(none)}</span>`
  return html`<time datetime=${iso} title=${format.moment(iso)}>${format.distance(iso)}</time>`
}

function usageCell(record: KeyRecord, { say, format }: ListContext) {
  const { uses, credits } = record
  const windows = limitsOf(record).map(([window, limit]) =>
    say('perWindow', { limit: format.number(numberOf(limit)), window: shortText(window, say) }),
  )
  const left = credits === undefined ? [] : [say('creditsLeft', { count: format.number(credits.remaining) })]
  const under = [...windows, ...left]
  return html`<span class=${uses === 0 ? 'muted' : ''}>${usesText(uses, say, format)}</span>${
    under.length === 0
      ? nothing
      : html`<span class="under dotted">${under.map((each) => html`<span>${each}</span> `)}</span>`
  }`
}

function usesText(uses: number, say: Say, format: Format): string {
  if (uses === 0) return say('noUses')
  return uses === 1 ? say('oneUse') : say('uses', { count: format.number(uses) })
}

function statusCell(record: KeyRecord, { say, format }: ListContext) {
  const { status, revokedAt, revokedReason } = record
  const time = revokedAt === undefined ? '' : format.moment(revokedAt)
  const told =
    revokedReason === undefined ? say('revokedAt', { time }) : say('revokedBecause', { time, reason: revokedReason })
  const overlap = overlapOf(record)
  return html`<span class=${`status ${status}`} title=${status === 'revoked' ? told : nothing}>${say(status)}</span>${
    status === 'revoked' && revokedReason !== undefined ? html`<span class="under">${revokedReason}</span>` : nothing
  }${overlap === undefined ? nothing : html`<span class="under">${say('overlapUntil', { time: format.moment(overlap) })}</span>`}`
}

/** Rows that say nothing yet. */
export function skeleton(say: Say): TemplateResult {
  return html`<div class="skeleton" role="status"><span class="unseen">${say('loading')}</span>
    ${[1, 2, 3, 4].map(() => html`<div aria-hidden="true"><i></i><i></i><i></i></div>`)}
  </div>`
}

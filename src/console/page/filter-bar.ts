import { html, nothing, type TemplateResult } from 'lit/html.js'
import type { ConsoleSettings } from '../settings.ts'
import { keepingFocus } from './focus.ts'
import { icon } from './icons.ts'
import type { Listing } from './listing.ts'
import { offers } from './offers.ts'
import type { Say } from './texts.ts'

const STATUSES = ['active', 'disabled', 'expired', 'revoked'] as const

/** What the list is narrowed by: the routes match names and resources whole. */
export function filterBar(listing: Listing, settings: ConsoleSettings, say: Say): TemplateResult {
  const { name = '', resource = '', status = '' } = listing.filter()
  const submit = (event: Event) => {
    event.preventDefault()
    if (event.currentTarget instanceof HTMLFormElement) narrow(new FormData(event.currentTarget))
  }
  const narrow = (form: FormData) => {
    const text = (field: string) => String(form.get(field) ?? '').trim() || undefined
    void listing.narrow({ name: text('name'), resource: text('resource'), status: text('status') })
  }
  const change = (event: Event) => {
    const { target } = event
    if (target instanceof HTMLElement) target.closest('form')?.requestSubmit()
  }
  return html`<form class="filters" role="search" aria-label=${say('filters')} autocomplete="off" @submit=${submit}>
    ${search('name', say('findByName'), name, change, 100)}
    ${settings.resource === undefined && offers(settings, 'resource') ? search('resource', say('findByResource'), resource, change, 256) : nothing}
    <select name="status" aria-label=${say('statusFilter')} @change=${change}>
      <option value="" ?selected=${status === ''}>${say('allStatuses')}</option>
      ${STATUSES.map((each) => html`<option value=${each} ?selected=${status === each}>${say(each)}</option>`)}
    </select>
    <button type="submit" class="unseen" tabindex="-1" aria-hidden="true"></button>
  </form>`
}

function search(name: string, label: string, value: string, change: (event: Event) => void, most: number) {
  return html`<span class="search">${icon('search')}<input type="search" name=${name} aria-label=${label} placeholder=${label} maxlength=${most} spellcheck="false" .value=${value} @change=${change} /></span>`
}

export function pager(listing: Listing, say: Say) {
  const hasNext = listing.page()?.cursor !== undefined
  if (listing.number() === 1 && !hasNext) return nothing
  const turn = (go: () => Promise<void>) => keepingFocus(go, '.pager :enabled')
  return html`<nav class="pager" aria-label=${say('pages')}>
    <button type="button" class="button" ?disabled=${listing.number() === 1} @click=${turn(listing.previous)}>${icon('left')}${say('previous')}</button>
    <span aria-live="polite">${say('page', { number: listing.number() })}</span>
    <button type="button" class="button" ?disabled=${!hasNext} @click=${turn(listing.next)}>${say('next')}${icon('right')}</button>
  </nav>`
}

import { html, nothing } from 'lit/html.js'
import type { ConsoleSettings } from '../settings.ts'
import { addressFlaw, addressLines } from './addresses.ts'
import { addressesFlaw, type Draft } from './draft.ts'
import { field, group, typed } from './field.ts'
import { offers } from './offers.ts'
import { scopeGrid } from './scope-fields.ts'
import type { Say } from './texts.ts'
import { isNamed, ownOf, WINDOWS, windowText } from './windows.ts'

/** What a field of the form needs to know and do. */
export interface Form {
  readonly draft: Draft
  readonly settings: ConsoleSettings
  readonly say: Say
  /** By field. */
  readonly flaws: Readonly<Record<string, string>>
  readonly isNew: boolean
  /** The scopes that the key had. */
  readonly held: readonly string[]
  change(part: Partial<Draft>): void
}

export function nameField({ draft, settings, say, flaws, change }: Form) {
  if (!offers(settings, 'name')) return nothing
  const note = settings.names === 'free' ? say('optional') : undefined
  return field(
    { id: 'name', label: say('name'), hint: say('nameHint'), flaw: flaws.name, note },
    (described, invalid) => {
      const input = (event: Event) => change({ name: typed(event) })
      return html`<input id="field-name" data-first type="text" maxlength="100" autocomplete="off" aria-describedby=${described} aria-invalid=${invalid} .value=${draft.name} @input=${input} />`
    },
  )
}

export function descriptionField({ draft, settings, say, flaws, change }: Form) {
  if (!offers(settings, 'description')) return nothing
  const options = { id: 'description', label: say('description'), note: say('optional'), flaw: flaws.description }
  return field(options, (described, invalid) => {
    const input = (event: Event) => change({ description: typed(event) })
    return html`<textarea id="field-description" rows="2" maxlength="1000" aria-describedby=${described || nothing} aria-invalid=${invalid} .value=${draft.description} @input=${input}></textarea>`
  })
}

export function environmentField({ draft, settings, say, change }: Form) {
  if (settings.environments.length === 0 || !offers(settings, 'environment')) return nothing
  return group(
    { id: 'environment', label: say('environment') },
    html`<div class="choices">${settings.environments.map(
      (each) => html`<label class="box"
        ><input type="radio" name="environment" .checked=${draft.environment === each} @change=${() => change({ environment: each })} /><span>${each}</span></label
      >`,
    )}</div>`,
  )
}

export function resourceField({ draft, settings, say, flaws, change }: Form) {
  if (settings.resource !== undefined || !offers(settings, 'resource')) return nothing
  const options = { id: 'resource', label: say('resource'), hint: say('resourceHint'), note: say('optional') }
  return field({ ...options, flaw: flaws.resource }, (described, invalid) => {
    const input = (event: Event) => change({ resource: typed(event) })
    return html`<input id="field-resource" type="text" maxlength="256" autocomplete="off" spellcheck="false" class="mono" aria-describedby=${described} aria-invalid=${invalid} .value=${draft.resource} @input=${input} />`
  })
}

export function scopesField({ draft, held, settings, say, flaws, change }: Form) {
  if (!offers(settings, 'scopes')) return nothing
  const options = { id: 'scopes', label: say('scopes'), flaw: flaws.scopes }
  const { scopes } = settings
  if (scopes !== undefined) {
    const grid = scopeGrid(scopes, held, draft.scopes, say, (chosen) => change({ scopes: chosen }))
    return group({ ...options, hint: say('scopesGridHint') }, grid)
  }
  return field({ ...options, hint: say('scopesHint'), note: say('optional') }, (described, invalid) => {
    const input = (event: Event) => change({ scopeText: typed(event) })
    return html`<textarea id="field-scopes" rows="2" spellcheck="false" class="mono" aria-describedby=${described} aria-invalid=${invalid} .value=${draft.scopeText} @input=${input}></textarea>`
  })
}

/** The windows that have a name, and those that this key or the instance sets besides. */
export function limitsField({ draft, settings, say, flaws, isNew, change }: Form) {
  if (!offers(settings, 'limits')) return nothing
  const others = [...Object.keys(settings.limits.defaults), ...Object.keys(draft.limits)].filter(
    (name) => !isNamed(name),
  )
  const names = [...(settings.windows ?? WINDOWS), ...(isNew ? [] : new Set(others))]
  const options = { id: 'limits', label: say('limits'), note: say('optional'), flaw: flaws.limits }
  return group(
    { ...options, hint: say(isNew ? 'limitsHint' : 'limitsEditHint') },
    html`<div class="windows">${names.map((name) => {
      const { defaults, max } = settings.limits
      const usual = isNew ? (ownOf(defaults, name) ?? ownOf(max, name)) : undefined
      const input = (event: Event) => change({ limits: { ...draft.limits, [name]: typed(event) } })
      return html`<label class="window"
        ><span>${windowText(name, say)}</span
        ><input type="text" inputmode="numeric" autocomplete="off" maxlength="15" placeholder=${usual ?? '–'} .value=${ownOf(draft.limits, name) ?? ''} @input=${input}
      /></label>`
    })}</div>`,
  )
}

/** What is wrong is told as it is typed, and what may have been meant is a button. */
export function addressesField({ draft, settings, say, flaws, change }: Form) {
  if (!offers(settings, 'allowedIps')) return nothing
  const flaw = addressFlaw(draft.addresses)
  const count = addressLines(draft.addresses).length
  const told = flaws.allowedIps ?? addressesFlaw(draft.addresses, say)
  const options = { id: 'allowedIps', label: say('addresses'), hint: say('addressesHint'), note: say('optional') }
  const mend = () => {
    const lines = draft.addresses.split('\n').map((line) => (line.trim() === flaw?.text ? flaw.suggestion : line))
    change({ addresses: lines.join('\n') })
  }
  return html`<div class="stack">
    ${field({ ...options, flaw: told }, (described, invalid) => {
      const input = (event: Event) => change({ addresses: typed(event) })
      return html`<textarea id="field-allowedIps" rows="3" spellcheck="false" autocomplete="off" class="mono" placeholder="203.0.113.0/24" aria-describedby=${described} aria-invalid=${invalid} .value=${draft.addresses} @input=${input}></textarea>`
    })}
    <p class="aside" role="status">
      ${flaw?.kind === 'host bits' ? html`<button type="button" class="link" @click=${mend}>${say('useSuggestion', { suggestion: flaw.suggestion })}</button>` : nothing}
      ${told === undefined && count > 0 ? html`<span class="good">${say('addressesGood', { count })}</span>` : nothing}
    </p>
  </div>`
}

const DAYS = [7, 30, 90] as const

export function expiryField({ draft, settings, say, flaws, change }: Form) {
  if (!offers(settings, 'expiresAt')) return nothing
  const chosen = draft.expiry === 'days' ? String(draft.days) : draft.expiry
  const choose = (event: Event) => {
    const value = typed(event)
    if (value === 'never' || value === 'custom') change({ expiry: value })
    else change({ expiry: 'days', days: Number(value) })
  }
  const option = (value: string, text: string) =>
    html`<option value=${value} ?selected=${chosen === value}>${text}</option>`
  return field({ id: 'expiresAt', label: say('expiry'), flaw: flaws.expiresAt }, (described, invalid) => {
    const date = (event: Event) => change({ date: typed(event) })
    return html`<div class="pair">
      <select id="field-expiresAt" aria-describedby=${described || nothing} aria-invalid=${invalid} @change=${choose}>
        ${option('never', say('expiryNever'))}
        ${DAYS.map((days) => option(String(days), say('expiryDays', { days })))}
        ${option('365', say('expiryYear'))}
        ${option('custom', say('expiryCustom'))}
      </select>
      ${draft.expiry === 'custom' ? html`<input type="datetime-local" aria-label=${say('expiryDate')} .value=${draft.date} @input=${date} />` : nothing}
    </div>`
  })
}

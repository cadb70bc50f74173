import { html, nothing, type TemplateResult } from 'lit/html.js'
import { icon } from './icons.ts'

interface FieldOptions {
  /** The name in the body, which problems are told by. */
  readonly id: string
  readonly label: string
  readonly hint?: string | undefined
  readonly flaw?: string | undefined
  /** Beside the label. */
  readonly note?: string | undefined
}

/** A labelled field with its hint, and what is wrong with it; `control` gets what ties them together. */
export function field(
  options: FieldOptions,
  control: (described: string, invalid: 'true' | 'false') => TemplateResult,
) {
  const { id, label, hint, flaw, note } = options
  return html`<div class="field">
    <label for=${`field-${id}`}>${label}</label>${noteOf(note)}
    ${control(describedBy(options), flaw === undefined ? 'false' : 'true')}
    ${underneath(id, hint, flaw)}
  </div>`
}

/** As `field`, for several controls that belong together. */
export function group(options: FieldOptions, controls: TemplateResult) {
  const { id, label, hint, flaw, note } = options
  return html`<fieldset class="field" id=${`field-${id}`} tabindex="-1" aria-describedby=${describedBy(options) || nothing}>
    <legend>${label}${noteOf(note)}</legend>
    ${controls}
    ${underneath(id, hint, flaw)}
  </fieldset>`
}

function noteOf(note: string | undefined) {
  return note === undefined ? nothing : html`<span class="note" aria-hidden="true"> ${note}</span>`
}

function describedBy({ id, hint, flaw }: FieldOptions): string {
  return [flaw === undefined ? '' : `flaw-${id}`, hint === undefined ? '' : `hint-${id}`].filter(Boolean).join(' ')
}

function underneath(id: string, hint: string | undefined, flaw: string | undefined) {
  return html`
    ${flaw === undefined ? nothing : html`<p class="flaw" id=${`flaw-${id}`}>${icon('alert')}<span>${flaw}</span></p>`}
    ${hint === undefined ? nothing : html`<p class="hint" id=${`hint-${id}`}>${hint}</p>`}`
}

/** What was typed into the field that an event comes from. */
export function typed(event: Event): string {
  const { target } = event
  const isField = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement
  return isField || target instanceof HTMLSelectElement ? target.value : ''
}

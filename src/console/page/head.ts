import { html, nothing, type TemplateResult } from 'lit/html.js'
import type { Language } from '../language.ts'
import { icon } from './icons.ts'
import type { Say } from './texts.ts'

interface Head {
  readonly say: Say
  /** The host's own; the page's where it has none. */
  readonly title: string | undefined
  /** `undefined` where there is no time for it yet: a browser looks long for letters of another script. */
  readonly other: Language | undefined
  /** Absent where whoever looks may not. */
  readonly create: (() => void) | undefined
  switchTo(language: Language): void
}

/** The title, and what is done most. */
export function head({ say, title, other, create, switchTo }: Head): TemplateResult {
  return html`<header class="head">
    <div>
      <h1>${title ?? say('title')}</h1>
      <p class="muted">${say('subtitle')}</p>
    </div>
    <div class="row">
      ${other === undefined ? nothing : html`<button type="button" class="button quiet" lang=${other} @click=${() => switchTo(other)}>${say('otherLanguage')}</button>`}
      ${create === undefined ? nothing : html`<button type="button" class="button primary" @click=${create}>${icon('plus')}${say('createKey')}</button>`}
    </div>
  </header>`
}

import { html, nothing, type TemplateResult } from 'lit/html.js'
import { keepingFocus } from './focus.ts'
import { type IconName, icon } from './icons.ts'
import type { Problem } from './problem.ts'
import { explain } from './problems.ts'
import type { Say } from './texts.ts'

interface Notice {
  readonly picture: IconName
  readonly title: string
  readonly text: string
  readonly button?: { readonly text: string; readonly act: () => Promise<void> }
}

/** In place of the list. */
function notice({ picture, title, text, button }: Notice): TemplateResult {
  return html`<div class="notice" role="status">
    <span class=${picture === 'alert' ? 'picture alert' : 'picture'}>${icon(picture)}</span>
    <h2>${title}</h2>
    <p class="muted">${text}</p>
    ${button === undefined ? nothing : html`<button type="button" class="button" @click=${keepingFocus(button.act)}>${button.text}</button>`}
  </div>`
}

export function noKeys(say: Say): TemplateResult {
  return notice({ picture: 'key', title: say('emptyTitle'), text: say('emptyText') })
}

export function nothingFound(say: Say, clear: () => Promise<void>): TemplateResult {
  const button = { text: say('clearFilters'), act: clear }
  return notice({ picture: 'search', title: say('nothingFound'), text: say('nothingFoundText'), button })
}

export function failed(problem: Problem, say: Say, again: () => Promise<void>): TemplateResult {
  const { status } = problem
  if (status === 401) return notice({ picture: 'alert', title: say('signedOut'), text: say('signedOutText') })
  if (status === 403) return notice({ picture: 'alert', title: say('notAllowed'), text: say('notAllowedText') })
  const button = { text: say('tryAgain'), act: again }
  return notice({ picture: 'alert', title: say('failedTitle'), text: explain(problem, say), button })
}

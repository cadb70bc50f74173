import { html, nothing } from 'lit/html.js'
import type { ConsoleSettings } from '../settings.ts'
import { copyText } from './clipboard.ts'
import { icon } from './icons.ts'
import { Part } from './part.ts'
import { type Credential, PLACEHOLDER, type Snippet, snippetsFor } from './snippets.ts'

/** Snippets in tabs, as the ARIA practices have them: arrows go from tab to tab. */
export class SnippetTabs extends Part {
  static override watched = ['say', 'settings', 'credential', 'chosen', 'told']
  declare settings: ConsoleSettings
  declare credential: Credential | undefined
  declare private chosen: number
  declare private told: 'copied' | 'copyFailed' | undefined

  constructor() {
    super()
    this.chosen = 0
  }

  protected override render() {
    const snippets = snippetsFor(this.settings)
    const snippet = snippets[this.chosen] as Snippet
    const credential = this.credential ?? PLACEHOLDER
    const text = snippet.write(this.settings, credential)
    return html`<div class="tabs">
      <div class="tabs-head">
        <div role="tablist" aria-label=${this.say('snippets')} @keydown=${this.onKey}>
          ${snippets.map(({ label }, i) => this.tab(label, i))}
        </div>
        <span role="status" class="aside">${this.told === undefined ? nothing : this.say(this.told)}</span>
        <button type="button" class="icon" title=${this.say('copySnippet')} aria-label=${this.say('copySnippet')} @click=${() => this.copy(text)}>
          ${icon(this.told === 'copied' ? 'check' : 'copy')}
        </button>
      </div>
      <div role="tabpanel" id="snippet" tabindex="0" aria-labelledby=${`tab-${this.chosen}`}>
        <pre lang="en" translate="no"><code>${marked(text, [credential.key, credential.secret])}</code></pre>
      </div>
    </div>`
  }

  private tab(label: string, i: number) {
    const isChosen = i === this.chosen
    return html`<button type="button" role="tab" id=${`tab-${i}`} aria-selected=${isChosen} aria-controls="snippet" tabindex=${isChosen ? 0 : -1} @click=${() => this.choose(i)}>${label}</button>`
  }

  private choose(i: number): void {
    this.chosen = i
    this.told = undefined
  }

  private async onKey(event: KeyboardEvent): Promise<void> {
    const last = snippetsFor(this.settings).length - 1
    const goals: Readonly<Record<string, number>> = {
      ArrowRight: this.chosen === last ? 0 : this.chosen + 1,
      ArrowLeft: this.chosen === 0 ? last : this.chosen - 1,
      Home: 0,
      End: last,
    }
    const goal = goals[event.key]
    if (goal === undefined) return
    event.preventDefault()
    this.choose(goal)
    await this.updateComplete
    this.querySelector<HTMLElement>(`#tab-${goal}`)?.focus()
  }

  private async copy(text: string): Promise<void> {
    this.told = (await copyText(text, this)) ? 'copied' : 'copyFailed'
  }
}

/** The text with the key in it made visible. Whatever it holds, it is text. */
function marked(text: string, keys: readonly (string | undefined)[]) {
  const known = keys.flatMap((key) => (key === undefined ? [] : [key]))
  const parts = text.split(new RegExp(`(${known.join('|')})`))
  return parts.map((part) => (known.includes(part) ? html`<mark>${part}</mark>` : part))
}

import { html, nothing } from 'lit/html.js'
import type { ConsoleSettings } from '../settings.ts'
import { type BrowserKey, displayOf, isKey } from './browser-key.ts'
import { copyText } from './clipboard.ts'
import { icon } from './icons.ts'
import { Part } from './part.ts'
import { type Address, addressesOf, type Credential, snippetsFor } from './snippets.ts'
import type { TextName } from './texts.ts'

/** Where clients connect to, snippets, and the key that may be kept in this browser for them. */
export class Connect extends Part {
  static override watched = ['say', 'settings', 'kept', 'flaw']
  declare settings: ConsoleSettings
  declare browserKey: BrowserKey
  declare kept: Credential | undefined
  declare onKept: () => void
  declare onTold: (text: string) => void
  declare private flaw: string | undefined

  protected override render() {
    const { say, settings, kept } = this
    const hasSnippets = snippetsFor(settings).length > 0
    return html`<section class="panel connect" aria-labelledby="connect-title">
      <h2 id="connect-title">${say('connect')}</h2>
      <p class="muted">${say(introduction(settings))}</p>
      <div class=${hasSnippets ? 'connect-parts' : ''}>
        <div class="stack">
          ${addressesOf(settings.baseUrls).map((address) => this.address(address))}
          ${settings.browserKey ? this.region() : nothing}
        </div>
        ${hasSnippets ? html`<keyward-snippets .say=${say} .settings=${settings} .credential=${kept}></keyward-snippets>` : nothing}
      </div>
    </section>`
  }

  private address({ label: of, url }: Address) {
    const label = this.say(of)
    const name = `${this.say('copy')} – ${label}`
    const copy = async () => this.onTold(this.say((await copyText(url, this)) ? 'copied' : 'copyFailed'))
    return html`<div class="address">
      <span class="address-label">${label}</span>
      <code>${url}</code>
      <button type="button" class="icon" title=${name} aria-label=${name} @click=${copy}>${icon('copy')}</button>
    </div>`
  }

  private region() {
    const { say, kept, settings } = this
    return html`<section class="browser-key" aria-labelledby="browser-key-title">
      <h3 id="browser-key-title">${say('browserKey')}</h3>
      <p class="hint" id="browser-key-hint">${say('browserKeyText')}</p>
      <form novalidate autocomplete="off" @submit=${this.save}>
        ${this.input('key', say('keyLabel'))}
        ${settings.pair ? this.input('secret', say('secretLabel')) : nothing}
        <button type="submit" class="button">${say('save')}</button>
        <button type="button" class="button quiet" @click=${this.clear}>${say('clear')}</button>
      </form>
      ${this.flaw === undefined ? nothing : html`<p class="flaw" id="browser-key-flaw" role="alert">${icon('alert')}<span>${this.flaw}</span></p>`}
      <p class="aside">${kept === undefined ? say('browserKeyNone') : html`${say('browserKeyIs', { display: displayOf(kept.key, settings.pair) })}`}</p>
    </section>`
  }

  private input(name: string, label: string) {
    return html`<input name=${name} type="text" class="mono" aria-label=${label} placeholder=${label} aria-describedby="browser-key-hint" aria-invalid=${this.flaw === undefined ? 'false' : 'true'} autocomplete="off" autocapitalize="off" spellcheck="false" />`
  }

  private save(event: Event): void {
    event.preventDefault()
    if (!(event.target instanceof HTMLFormElement)) return
    const form = new FormData(event.target)
    const half = (name: string) => String(form.get(name) ?? '').trim()
    const credential = this.settings.pair ? { key: half('key'), secret: half('secret') } : { key: half('key') }
    const isGood = Object.values(credential).every(isKey)
    this.flaw = isGood ? undefined : this.say('browserKeyWrong')
    if (!isGood || !this.browserKey.save(credential)) return
    event.target.reset()
    this.onKept()
    this.onTold(this.say('browserKeySaved'))
  }

  private clear(): void {
    this.browserKey.clear()
    this.onKept()
    this.onTold(this.say('browserKeyCleared'))
  }
}

/** Which clients can be pointed at the service. */
function introduction({ baseUrls: { api, openai, anthropic } }: ConsoleSettings): TextName {
  if (api !== undefined) return 'connectApi'
  if (anthropic === undefined) return 'connectOpenai'
  return openai === undefined ? 'connectAnthropic' : 'connectText'
}

import { html, LitElement, nothing } from 'lit'
import type { KeyRecord } from '../../model/key.ts'
import type { ConsoleSettings } from '../settings.ts'
import { type Api, createApi, type Problem } from './api.ts'
import { type BrowserKey, browserKeyAt, displayOf } from './browser-key.ts'
import { copyText } from './clipboard.ts'
import { Confirm } from './confirm.ts'
import { Connect } from './connect.ts'
import { type DialogContext, type Open, openDialog } from './dialogs.ts'
import { filterBar, pager } from './filter-bar.ts'
import { formatting } from './format.ts'
import { icon } from './icons.ts'
import { KeyForm } from './key-form.ts'
import { type Deed, keyTable, skeleton } from './key-list.ts'
import { chosenLanguage, keepLanguage } from './languages.ts'
import { createListing, type Listing } from './listing.ts'
import { failed, noKeys, nothingFound } from './notices.ts'
import { define } from './part.ts'
import { explain } from './problems.ts'
import { SnippetTabs } from './snippet-tabs.ts'
import { type Credential, connectionInfo } from './snippets.ts'
import { STYLES } from './styles.ts'
import { type Say, speaking, type TextName } from './texts.ts'
import { ToldKey } from './told-key.ts'

/** What the element works with, from when it is in a page. */
interface Works {
  readonly api: Api
  readonly listing: Listing
  readonly browserKey: BrowserKey
}

const TOAST_MS = 5000

/**
 * `<keyward-console>`: the API Keys page as an element that stands by itself. It asks the routes where its script came
 * from, or those at `src`. `lang` is `en` or `zh`, `theme` is `light` or `dark`; both follow the browser if not given.
 */
export class KeywardConsole extends LitElement {
  static override styles = STYLES
  static override properties = {
    src: { type: String },
    lang: { type: String, reflect: true },
    settings: { state: true },
    problem: { state: true },
    open: { state: true },
    toast: { state: true },
    kept: { state: true },
  }
  declare src: string | undefined
  declare private settings: ConsoleSettings | undefined
  declare private problem: Problem | undefined
  declare private open: Open | undefined
  declare private toast: string
  declare private kept: Credential | undefined
  private works: Works | undefined
  private opener: Element | null = null
  private toastTimer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    super()
    this.toast = ''
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.lang = chosenLanguage(this.lang)
    const { href } = this.src === undefined ? new URL('.', import.meta.url) : new URL(this.src, document.baseURI)
    const base = href.endsWith('/') ? href : `${href}/`
    const api = createApi(base)
    const listing = createListing(api, () => this.requestUpdate())
    this.works = { api, listing, browserKey: browserKeyAt(new URL(base).pathname) }
    void this.begin()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.open = undefined
    clearTimeout(this.toastTimer)
  }

  /** Both are asked at once, and shown as they come. */
  private async begin(): Promise<void> {
    const { works } = this
    if (works === undefined) return
    this.problem = undefined
    void works.listing.load()
    const answer = await works.api.settings()
    if (!answer.ok) {
      this.problem = answer.problem
      return
    }
    this.settings = answer.body
    this.kept = answer.body.browserKey ? works.browserKey.read() : undefined
  }

  protected override render() {
    const { works, settings } = this
    const say = speaking(chosen(this.lang))
    const isOpen = this.open !== undefined
    return html`<main class="console" aria-hidden=${isOpen ? 'true' : nothing}>
        ${this.head(say)}
        <div class="panel">
          ${settings === undefined || works === undefined || isBare(works.listing) ? nothing : filterBar(works.listing, settings, say)}
          <div class="list" aria-busy=${works?.listing.isLoading() ? 'true' : 'false'}>${this.list(say)}</div>
          ${works === undefined ? nothing : pager(works.listing, say)}
        </div>
        ${this.connect(say)}
      </main>
      <div class="toast" role="status">${this.toast === '' ? nothing : html`<span>${this.toast}</span>`}</div>
      ${works === undefined || settings === undefined ? nothing : openDialog(this.open, this.context(say, works, settings))}`
  }

  private head(say: Say) {
    const other = this.lang === 'zh' ? 'en' : 'zh'
    const mayCreate = this.settings?.may.includes('create')
    return html`<header class="head">
      <div>
        <h1>${this.settings?.title ?? say('title')}</h1>
        <p class="muted">${say('subtitle')}</p>
      </div>
      <div class="row">
        <button type="button" class="button quiet" lang=${other} @click=${() => this.speak(other)}>${say('otherLanguage')}</button>
        ${mayCreate ? html`<button type="button" class="button primary" @click=${() => this.show({ kind: 'create' })}>${icon('plus')}${say('createKey')}</button>` : nothing}
      </div>
    </header>`
  }

  private list(say: Say) {
    const { works, settings } = this
    if (works === undefined) return skeleton(say)
    const { listing } = works
    const problem = this.problem ?? listing.problem()
    if (problem !== undefined) return failed(problem, say, () => void this.begin())
    const page = listing.page()
    if (page === undefined || settings === undefined) return skeleton(say)
    if (page.items.length > 0) return keyTable(page.items, { say, format: formatting(chosen(this.lang)), settings, act: this.act })
    if (listing.isFiltered()) return nothingFound(say, () => void listing.narrow({}))
    return listing.number() === 1 ? noKeys(say) : nothing
  }

  private connect(say: Say) {
    const { settings, works } = this
    if (settings === undefined || works === undefined) return nothing
    const onKept = () => {
      this.kept = works.browserKey.read()
    }
    return html`<keyward-connect .say=${say} .settings=${settings} .browserKey=${works.browserKey} .kept=${this.kept}
      .onKept=${onKept} .onTold=${(text: string) => this.tell(text)}></keyward-connect>`
  }

  private context(say: Say, { api, listing, browserKey }: Works, settings: ConsoleSettings): DialogContext {
    const keep = (credential: Credential) => {
      const isKept = browserKey.save(credential)
      if (isKept) this.kept = credential
      return isKept
    }
    return {
      say,
      api,
      settings,
      keep: settings.browserKey ? keep : undefined,
      show: (open) => this.show(open),
      close: (told) => this.close(told),
      reload: () => void (this.open?.kind === 'remove' ? listing.load() : listing.first()),
      replace: listing.replace,
      stale: (record) => void this.edit(record, 'problemChanged'),
    }
  }

  private act = async (deed: Deed, record: KeyRecord): Promise<void> => {
    if (deed === 'connection') return this.copyConnection(record)
    if (deed === 'edit') return this.edit(record)
    if (deed !== 'disable' && deed !== 'enable') return this.show({ kind: deed, record })
    const answer = await this.works?.api[deed](record.id)
    if (answer?.ok === true) this.works?.listing.replace(answer.body.record)
    if (answer !== undefined) this.tell(answer.ok ? this.text(deed === 'disable' ? 'wasDisabled' : 'wasEnabled') : this.explained(answer.problem))
  }

  /** What is edited is what is there now, and what it is saved over is what was seen. */
  private async edit({ id }: KeyRecord, told?: TextName): Promise<void> {
    const answer = await this.works?.api.get(id)
    if (answer?.ok === false) this.tell(this.explained(answer.problem))
    if (answer?.ok !== true) return
    this.works?.listing.replace(answer.body.record)
    if (told !== undefined) this.close(told)
    else this.show({ kind: 'edit', record: answer.body.record, etag: answer.etag })
  }

  private async copyConnection(record: KeyRecord): Promise<void> {
    const { settings, kept } = this
    if (settings === undefined) return
    const isKept = kept !== undefined && displayOf(kept.key, settings.pair) === record.display
    const text = connectionInfo(settings, record, isKept ? kept : undefined)
    if (!(await copyText(text, this.renderRoot.querySelector('main') ?? this))) return this.tell(this.text('copyFailed'))
    this.tell(this.text(isKept ? 'connectionCopied' : 'connectionCopiedWithoutKey'))
  }

  private show(open: Open): void {
    if (this.open === undefined) this.opener = this.shadowRoot?.activeElement ?? null
    this.open = open
  }

  /** Focus goes back to where it came from, or where that is gone, to the beginning. */
  private async close(told?: TextName): Promise<void> {
    if (this.open === undefined) return
    const isGone = this.open.kind === 'remove' && told !== undefined
    this.open = undefined
    if (told !== undefined) this.tell(this.text(told))
    await this.updateComplete
    const start = this.renderRoot.querySelector('.head .primary')
    const goal = isGone || this.opener?.isConnected !== true ? start : this.opener
    if (goal instanceof HTMLElement) goal.focus()
    this.opener = null
  }

  private speak(language: 'en' | 'zh'): void {
    this.lang = language
    keepLanguage(language)
    if (this.parentElement === document.body) document.documentElement.lang = language
  }

  private text(name: TextName): string {
    return speaking(chosen(this.lang))(name)
  }

  private explained(problem: Problem): string {
    return explain(problem, speaking(chosen(this.lang)))
  }

  private tell(text: string): void {
    clearTimeout(this.toastTimer)
    this.toast = text
    this.toastTimer = setTimeout(() => {
      this.toast = ''
    }, TOAST_MS)
  }
}

/** Nothing is there that could be narrowed. */
function isBare(listing: Listing): boolean {
  return listing.page()?.items.length === 0 && listing.number() === 1 && !listing.isFiltered()
}

function chosen(lang: string): 'en' | 'zh' {
  return lang === 'zh' ? 'zh' : 'en'
}

define('keyward-snippets', SnippetTabs)
define('keyward-connect', Connect)
define('keyward-key-form', KeyForm)
define('keyward-told-key', ToldKey)
define('keyward-confirm', Confirm)
define('keyward-console', KeywardConsole)

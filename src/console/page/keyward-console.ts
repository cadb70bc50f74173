import { html, nothing } from 'lit/html.js'
import type { KeyRecord } from '../../model/key.ts'
import type { Language } from '../language.ts'
import type { ConsoleSettings } from '../settings.ts'
import { type Answer, type Api, baseOf, createApi, type Made, type Shown } from './api.ts'
import { type BrowserKey, browserKeyAt, displayOf } from './browser-key.ts'
import { copyText } from './clipboard.ts'
import { type DialogContext, openDialog, type Seen } from './dialogs.ts'
import { Drawn } from './drawn.ts'
import { afterFrame, FIRST_ROWS, takeEarly } from './early.ts'
import { filterBar, pager } from './filter-bar.ts'
import { formatting } from './format.ts'
import { head } from './head.ts'
import { type Deed, keyTable, skeleton } from './key-list.ts'
import { chosenLanguage, keepLanguage } from './languages.ts'
import { createListing, type Listing } from './listing.ts'
import { failed, noKeys, nothingFound } from './notices.ts'
import type { Problem } from './problem.ts'
import { explain } from './problems.ts'
import { type Credential, connectionInfo } from './snippets.ts'
import { createStage, type Scene } from './stage.ts'
import { STYLES } from './styles.ts'
import { type Say, speaking, type TextName, WITHOUT_TEXTS } from './texts.ts'
import { createToast } from './toast.ts'

/** What the element works with, from when it is in a page. */
interface Works {
  readonly api: Api
  readonly listing: Listing
  readonly browserKey: BrowserKey
}

/**
 * `<keyward-console>`: the API Keys page as an element that stands by itself. It asks the routes where its script came
 * from, or those at `src`. `lang` is `en` or `zh`, `theme` is `light` or `dark`; both follow the browser if not given.
 */
export class KeywardConsole extends Drawn {
  static override watched = ['say', 'settings', 'problem', 'kept', 'whole']
  declare src: string | undefined
  /** `undefined` until the texts of the language are there. */
  declare private say: Say | undefined
  declare private settings: ConsoleSettings | undefined
  declare private problem: Problem | undefined
  declare private kept: Credential | undefined
  /** Whether more is drawn than what people see first: the rest follows in the next frame. */
  declare private whole: boolean | undefined
  private works: Works | undefined
  /** The texts of keys that were made here, by id, where the host wants the page to have them while it is there. */
  private readonly made = new Map<string, Credential>()
  private readonly stage = createStage(this)
  private readonly toast = createToast(() => this.requestUpdate())
  private readonly text: Say = (name, parts) => this.say?.(name, parts) ?? ''

  protected override createRenderRoot(): ShadowRoot {
    const root = this.attachShadow({ mode: 'open' })
    root.adoptedStyleSheets = STYLES
    return root
  }

  override connectedCallback(): void {
    super.connectedCallback()
    const base = baseOf(this.src ?? this.getAttribute('src') ?? undefined)
    const api = createApi(base, takeEarly(this))
    const listing = createListing(api, () => this.requestUpdate())
    this.works = { api, listing, browserKey: browserKeyAt(new URL(base).pathname) }
    addEventListener('pagehide', this.forget)
    addEventListener('storage', this.readKept)
    void this.begin(this.works)
    void this.speak(chosenLanguage(this.lang))
  }

  disconnectedCallback(): void {
    removeEventListener('pagehide', this.forget)
    removeEventListener('storage', this.readKept)
    this.toast.clear()
    this.forget()
  }

  /** A page that is left may be kept by the browser, and come back as it was. */
  private forget = (): void => {
    this.stage.clear()
    this.made.clear()
  }

  /** Both are asked at once, and shown as they come. */
  private async begin({ listing, api }: Works): Promise<void> {
    this.problem = undefined
    const loaded = listing.load()
    const answer = await api.settings()
    if (answer.ok) this.settings = answer.body
    else this.problem = answer.problem
    this.readKept()
    return loaded
  }

  /** Also when another tab has kept or cleared one. */
  private readKept = (): void => {
    this.kept = this.settings?.browserKey ? this.works?.browserKey.read() : undefined
  }

  protected override render() {
    const { works, settings, say } = this
    if (say === undefined) return this.problem === undefined ? nothing : html`<p class="notice">${WITHOUT_TEXTS}</p>`
    const scene = this.stage.scene()
    return html`<main class="console" aria-hidden=${scene === undefined ? nothing : 'true'}>
        ${this.head(say)}
        <div class="panel">
          ${settings === undefined || works === undefined || works.listing.isBare() ? nothing : filterBar(works.listing, settings, say)}
          <div class="list" tabindex="-1" aria-busy=${works?.listing.isLoading() || !this.whole ? 'true' : 'false'}>${this.list(say)}</div>
          ${works === undefined || !this.whole ? nothing : pager(works.listing, say)}
        </div>
        ${this.connect(say)}
      </main>
      <div class="toast" role="status">${this.toast.text() === '' ? nothing : html`<span>${this.toast.text()}</span>`}</div>
      ${works === undefined || settings === undefined || scene === undefined ? nothing : openDialog(scene, this.context(say, works, settings, scene))}`
  }

  protected override updated(): void {
    if (this.say !== undefined && !this.whole) afterFrame(() => Object.assign(this, { whole: true }))
  }

  private head(say: Say) {
    return head({
      say,
      title: this.settings?.title,
      other: this.whole ? (this.lang === 'zh' ? 'en' : 'zh') : undefined,
      create: this.settings?.may.includes('create') ? () => this.stage.show({ kind: 'create' }) : undefined,
      switchTo: (language) => void this.switchTo(language),
    })
  }

  private list(say: Say) {
    const { works, settings } = this
    if (works === undefined) return skeleton(say)
    const { listing } = works
    const problem = this.problem ?? listing.problem()
    if (problem !== undefined) return failed(problem, say, () => this.begin(works))
    const page = listing.page()
    if (page === undefined || settings === undefined) return skeleton(say)
    const items = this.whole ? page.items : page.items.slice(0, FIRST_ROWS)
    if (items.length > 0) return keyTable(items, { say, format: formatting(say), settings, act: this.act })
    if (listing.isFiltered()) return nothingFound(say, () => listing.narrow({}))
    return noKeys(say)
  }

  private connect(say: Say) {
    const { settings, works } = this
    if (settings === undefined || works === undefined || !this.whole) return nothing
    return html`<keyward-connect .say=${say} .settings=${settings} .browserKey=${works.browserKey} .kept=${this.kept}
      .onKept=${this.readKept} .onTold=${(text: string) => this.toast.tell(text)}></keyward-connect>`
  }

  /** @param scene that of the dialog: of its answers, also late ones, it alone is closed or replaced */
  private context(say: Say, works: Works, settings: ConsoleSettings, scene: Scene): DialogContext {
    const { api, listing, browserKey } = works
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
      tell: (made, isRotated) => this.tell(scene, made, isRotated),
      close: (told) => this.close(scene, told),
      reload: () => void (scene.open.kind === 'remove' ? listing.load() : listing.first()),
      replace: listing.replace,
      stale: (kind, record) => this.read(record, (seen) => this.stage.renew(scene, { kind, ...seen })),
    }
  }

  private act = async (deed: Deed, record: KeyRecord): Promise<void> => {
    if (deed === 'connection') return this.copyConnection(record)
    const maySee = this.settings?.may.includes('read')
    if (deed === 'edit' || (deed === 'rotate' && maySee)) return this.ask(deed, record)
    if (deed !== 'disable' && deed !== 'enable') return this.stage.show({ kind: deed, record })
    const answer = await this.works?.api[deed](record.id)
    if (answer?.ok === true) this.works?.listing.replace(answer.body.record)
    const done = deed === 'disable' ? 'wasDisabled' : 'wasEnabled'
    if (answer !== undefined) this.toast.tell(answer.ok ? this.text(done) : explain(answer.problem, this.text))
  }

  /** What is edited or rotated is what is there now; what is sent says what was seen. */
  private async ask(kind: 'edit' | 'rotate', record: KeyRecord): Promise<void> {
    const turn = this.stage.turn()
    // Whoever has opened something else meanwhile is not disturbed.
    await this.read(record, (seen) => turn === this.stage.turn() && this.stage.show({ kind, ...seen }))
  }

  private async read({ id }: KeyRecord, show: (seen: Seen) => unknown): Promise<Answer<Shown> | undefined> {
    const answer = await this.works?.api.get(id)
    if (answer?.ok === false) this.toast.tell(explain(answer.problem, this.text))
    if (answer?.ok !== true) return answer
    this.works?.listing.replace(answer.body.record)
    show({ record: answer.body.record, etag: answer.etag })
    return answer
  }

  private async copyConnection(record: KeyRecord): Promise<void> {
    const { settings } = this
    if (settings === undefined) return
    const known = this.made.get(record.id) ?? (this.isKept(record) ? this.kept : undefined)
    const text = connectionInfo(settings, record, known)
    const isDone = await copyText(text, this.renderRoot?.querySelector('main') ?? this)
    const told = known === undefined ? 'connectionCopiedWithoutKey' : 'connectionCopied'
    this.toast.tell(this.text(isDone ? told : 'copyFailed'))
  }

  private tell(scene: Scene, made: Made, isRotated: boolean): void {
    this.stage.tell(scene, { kind: 'told', made, isRotated })
    this.remember(made)
    if (!isRotated || !this.isKept(made.record)) return
    // What is kept of it has the old secret.
    this.works?.browserKey.clear()
    this.readKept()
  }

  private isKept({ display }: KeyRecord): boolean {
    return this.kept !== undefined && displayOf(this.kept.key, this.settings?.pair === true) === display
  }

  private remember({ key, secret, record }: Made): void {
    if (this.settings?.rememberKeys === true && key !== undefined) this.made.set(record.id, { key, secret })
  }

  private close(scene: Scene, told?: TextName): void {
    const { open } = scene
    const isGone = open.kind === 'remove' && told !== undefined
    if (isGone) this.made.delete(open.record.id)
    if (told !== undefined) this.toast.tell(this.text(told))
    void this.stage.close(scene, isGone)
  }

  private async speak(language: Language): Promise<void> {
    const answer = await this.works?.api.texts(language)
    if (answer?.ok === false) this.problem = answer.problem
    if (answer?.ok !== true) return
    this.lang = language
    this.say = speaking(answer.body)
  }

  private switchTo(language: Language): Promise<void> {
    keepLanguage(language)
    if (this.parentElement === document.body) document.documentElement.lang = language
    return this.speak(language)
  }
}

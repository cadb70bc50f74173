import { html, nothing, type TemplateResult } from 'lit/html.js'
import { icon } from './icons.ts'
import { Part } from './part.ts'

/** A modal dialog: the browser keeps the focus in it, and Escape closes it. */
export abstract class DialogPart extends Part {
  static override watched = ['say', 'onClose', 'busy', 'problem']
  declare onClose: () => void
  declare busy: boolean
  /** What went wrong, in words. */
  declare problem: string | undefined

  constructor() {
    super()
    this.busy = false
    this.problem = undefined
  }

  protected abstract heading(): string
  protected abstract body(): TemplateResult
  /** `wide` where there is much to see. */
  protected look(): string {
    return ''
  }

  protected override updated(isFirst: boolean): void {
    if (!isFirst) return
    const dialog = this.querySelector('dialog')
    dialog?.showModal()
    dialog?.querySelector<HTMLElement>('[data-first]')?.focus()
  }

  protected close(): void {
    this.querySelector('dialog')?.close()
  }

  protected override render() {
    return html`<dialog class=${this.look()} aria-labelledby="dialog-title" @close=${() => this.onClose()}>
      <header class="dialog-head">
        <h2 id="dialog-title">${this.heading()}</h2>
        <button type="button" class="icon" aria-label=${this.say('close')} @click=${() => this.close()}>${icon('close')}</button>
      </header>
      ${this.body()}
    </dialog>`
  }

  protected problemText() {
    return html`<div role="alert">${this.problem === undefined ? nothing : html`<p class="problem">${icon('alert')}<span>${this.problem}</span></p>`}</div>`
  }
}

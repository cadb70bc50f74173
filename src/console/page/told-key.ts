import { html, nothing } from 'lit/html.js'
import type { ConsoleSettings } from '../settings.ts'
import type { Made } from './api.ts'
import { copyText } from './clipboard.ts'
import { DialogPart } from './dialog.ts'
import { icon } from './icons.ts'
import { type Credential, connectionInfo, snippetsFor } from './snippets.ts'

/** The text of a key, shown once. When it closes, nothing of the text is left. */
export class ToldKey extends DialogPart {
  static override watched = [...DialogPart.watched, 'settings', 'made', 'isRotated', 'onKeep', 'copied', 'isKept']
  declare settings: ConsoleSettings
  declare made: Made
  declare isRotated: boolean
  /** Keeps it in this browser; absent where that is not offered. */
  declare onKeep: ((credential: Credential) => boolean) | undefined
  declare private copied: 'key' | 'secret' | 'info' | undefined
  declare private isKept: boolean

  protected override look(): string {
    return 'wide'
  }

  protected override heading(): string {
    return this.say(this.isRotated ? 'rotatedTitle' : 'createdTitle')
  }

  protected override body() {
    const { say, made } = this
    const { key, secret } = made
    if (key === undefined) return this.toldBefore()
    const credential: Credential = { key, secret }
    return html`<div class="dialog-body">
        ${made.record.name === undefined ? nothing : html`<p class="subject">${made.record.name}</p>`}
        <div class="once">${icon('alert')}<p><strong>${say('onceTitle')}</strong> ${say(this.mayRotate() ? 'onceText' : 'onceTextFinal')}</p></div>
        ${this.half('key', say('keyLabel'), key)}
        ${secret === undefined ? nothing : this.half('secret', say('secretLabel'), secret)}
        <div class="row wrap">
          <button type="button" class="button" @click=${() => this.copy('info', connectionInfo(this.settings, made.record, credential))}>
            ${icon(this.copied === 'info' ? 'check' : 'plug')}${say('copyConnection')}
          </button>
          ${this.keepButton(credential)}
        </div>
        <p role="status" class="aside">${this.statusText()}</p>
        ${this.problemText()}
        ${snippetsFor(this.settings).length === 0 ? nothing : this.snippets(credential)}
      </div>
      ${this.foot()}`
  }

  private snippets(credential: Credential) {
    const { say, settings } = this
    return html`<h3>${say('snippets')}</h3>
      <keyward-snippets .say=${say} .settings=${settings} .credential=${credential}></keyward-snippets>`
  }

  private toldBefore() {
    const text = this.mayRotate() ? 'createdBefore' : 'createdBeforeFinal'
    return html`<div class="dialog-body"><p>${this.say(text)}</p></div>${this.foot()}`
  }

  /** What helps whoever loses the text. */
  private mayRotate(): boolean {
    return this.settings.may.includes('rotate')
  }

  private foot() {
    return html`<footer class="dialog-foot">
      <button type="button" class="button primary" @click=${() => this.close()}>${this.say('done')}</button>
    </footer>`
  }

  private half(which: 'key' | 'secret', label: string, text: string) {
    const select = (event: Event) => {
      if (event.currentTarget instanceof HTMLElement) getSelection()?.selectAllChildren(event.currentTarget)
    }
    return html`<div class="told">
      <span class="told-label" id=${`told-${which}`}>${label}</span>
      <div class="told-box">
        <code role="group" aria-labelledby=${`told-${which}`} @click=${select}>${text}</code>
        <button type="button" class="button primary" data-first=${which === 'key' ? '' : nothing} @click=${() => this.copy(which, text)}>
          ${icon(this.copied === which ? 'check' : 'copy')}${this.say(which === 'key' ? 'copy' : 'copySecret')}
        </button>
      </div>
    </div>`
  }

  private keepButton(credential: Credential) {
    const { onKeep } = this
    if (onKeep === undefined) return nothing
    const keep = () => {
      this.isKept = onKeep(credential)
    }
    return html`<button type="button" class="button" ?disabled=${this.isKept} @click=${keep}>
      ${icon(this.isKept ? 'check' : 'key')}${this.say('keepHere')}
    </button>`
  }

  private statusText(): string {
    if (this.isKept) return this.say('keptHere')
    if (this.copied === undefined) return ''
    return this.say(this.copied === 'info' ? 'connectionCopied' : 'copied')
  }

  private async copy(what: 'key' | 'secret' | 'info', text: string): Promise<void> {
    const done = await copyText(text, this)
    this.copied = done ? what : undefined
    this.isKept = false
    this.problem = done ? undefined : this.say('copyFailed')
  }
}

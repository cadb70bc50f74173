import { html, type TemplateResult } from 'lit'
import type { KeyRecord } from '../../model/key.ts'
import type { Answer, Api, Made } from './api.ts'
import { DialogPart } from './dialog.ts'
import { field } from './field.ts'
import { explain } from './problems.ts'
import type { TextName } from './texts.ts'

const OVERLAPS: readonly (readonly [string, TextName])[] = [
  ['24h', 'overlapDay'],
  ['1h', 'overlapHour'],
  ['7d', 'overlapWeek'],
  ['0', 'overlapNone'],
]

export type Question = 'rotate' | 'revoke' | 'remove'

/** Asks before something that cannot be taken back. */
export class Confirm extends DialogPart {
  static override properties = {
    ...DialogPart.properties,
    api: { attribute: false },
    record: { attribute: false },
    question: { attribute: false },
  }
  declare api: Api
  declare record: KeyRecord
  declare question: Question
  declare onRotated: (made: Made) => void
  declare onRevoked: (record: KeyRecord) => void
  declare onRemoved: () => void

  protected override heading(): string {
    return this.say(`${this.question}Title`, { name: this.record.name ?? this.record.display })
  }

  protected override body(): TemplateResult {
    const { say, question, record } = this
    const look = question === 'rotate' ? 'primary' : 'danger'
    return html`<form novalidate @submit=${this.submit}>
      <div class="dialog-body">
        <p>${say(`${question}Text`)}</p>
        <p class="subject"><code>${record.display}</code></p>
        ${question === 'rotate' ? this.overlapField() : ''}
        ${question === 'revoke' ? this.reasonField() : ''}
        ${this.problemText()}
      </div>
      <footer class="dialog-foot">
        <button type="button" class="button" @click=${() => this.close()}>${say('cancel')}</button>
        <button type="submit" class=${`button ${look}`} ?disabled=${this.busy}>${say(question)}</button>
      </footer>
    </form>`
  }

  private overlapField() {
    return field({ id: 'overlap', label: this.say('overlap') }, () => {
      const options = OVERLAPS.map(([value, text]) => html`<option value=${value}>${this.say(text)}</option>`)
      return html`<select id="field-overlap" name="overlap" data-first>${options}</select>`
    })
  }

  private reasonField() {
    return field({ id: 'reason', label: this.say('reason'), note: this.say('optional') }, () => {
      return html`<input id="field-reason" name="reason" type="text" maxlength="500" autocomplete="off" data-first />`
    })
  }

  private async submit(event: Event): Promise<void> {
    event.preventDefault()
    if (this.busy || !(event.target instanceof HTMLFormElement)) return
    this.busy = true
    this.problem = undefined
    const refusal = await this.act(new FormData(event.target))
    this.busy = false
    if (refusal?.ok === false) this.problem = explain(refusal.problem, this.say)
  }

  private async act(form: FormData): Promise<Answer<unknown> | undefined> {
    const { api, record, question } = this
    if (question === 'rotate') {
      const overlap = String(form.get('overlap'))
      const answer = await api.rotate(record.id, overlap === '0' ? 0 : overlap)
      if (!answer.ok) return answer
      this.onRotated(answer.body)
    } else if (question === 'revoke') {
      const answer = await api.revoke(record.id, String(form.get('reason') ?? '').trim())
      if (!answer.ok) return answer
      this.onRevoked(answer.body.record)
    } else {
      const answer = await api.remove(record.id)
      // Who asks for it twice has what they wanted.
      if (!answer.ok && answer.problem.status !== 404) return answer
      this.onRemoved()
    }
    return undefined
  }
}

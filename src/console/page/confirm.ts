import { html, type TemplateResult } from 'lit/html.js'
import type { KeyRecord } from '../../model/key.ts'
import type { Answer, Api, Made, Shown } from './api.ts'
import { DialogPart } from './dialog.ts'
import { field } from './field.ts'
import { formatting } from './format.ts'
import { icon } from './icons.ts'
import { overlapOf } from './overlap.ts'
import type { Problem } from './problem.ts'
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
  static override watched = [...DialogPart.watched, 'api', 'record', 'question']
  declare api: Api
  declare record: KeyRecord
  declare question: Question
  /** Of the key as it is shown: what has changed since is not rotated unseen. */
  declare etag: string | undefined
  declare onRotated: (made: Made) => void
  declare onRevoked: (record: KeyRecord) => void
  declare onRemoved: () => void
  /** The key has changed: shows it as it is now. */
  declare onStale: () => Promise<Answer<Shown> | undefined>

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
        ${question === 'rotate' ? [this.overlapEnd(), this.overlapField()] : ''}
        ${question === 'revoke' ? this.reasonField() : ''}
        ${this.problemText()}
      </div>
      <footer class="dialog-foot">
        <button type="button" class="button" @click=${() => this.close()}>${say('cancel')}</button>
        <button type="submit" class=${`button ${look}`} ?disabled=${this.busy}>${say(question)}</button>
      </footer>
    </form>`
  }

  /** Never more than two secrets work. */
  private overlapEnd() {
    const until = overlapOf(this.record)
    if (until === undefined) return ''
    return html`<p class="once">${icon('alert')}<span>${this.say('overlapEnds', { time: formatting(this.say).moment(until) })}</span></p>`
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
    if (refusal?.ok === false) this.problem = await this.told(refusal.problem)
    this.busy = false
  }

  private async told(problem: Problem): Promise<string> {
    const now = problem.status === 412 ? await this.onStale() : undefined
    if (now?.ok !== true) return explain(now?.problem ?? problem, this.say)
    return this.say(now.body.record.status === 'active' ? 'rotateChanged' : 'problemState')
  }

  private async act(form: FormData): Promise<Answer<unknown> | undefined> {
    const { api, record, question } = this
    if (question === 'rotate') {
      const overlap = String(form.get('overlap'))
      const answer = await api.rotate(record.id, overlap === '0' ? 0 : overlap, this.etag)
      if (!answer.ok) return answer
      this.onRotated(answer.body)
    } else if (question === 'revoke') {
      const answer = await api.revoke(record.id, String(form.get('reason') ?? '').trim())
      if (!answer.ok) return answer
      this.onRevoked(answer.body.record)
    } else {
      const answer = await api.remove(record.id)
      // Who asks for it twice has what they wanted.
      if (!answer.ok && answer.problem.code !== 'not_found') return answer
      this.onRemoved()
    }
    return undefined
  }
}

import { html } from 'lit/html.js'
import type { KeyRecord } from '../../model/key.ts'
import type { ConsoleSettings } from '../settings.ts'
import type { Answer, Api, Made, Shown } from './api.ts'
import { DialogPart } from './dialog.ts'
import { changes, creation, type Draft, draftOf, flawsOf } from './draft.ts'
import * as fields from './key-fields.ts'
import { offers } from './offers.ts'
import type { Problem } from './problem.ts'
import { explain } from './problems.ts'
import { rebased } from './rebase.ts'
import { serviceFlaws } from './service-flaws.ts'

/** The form for a new key, or for one that is there. */
export class KeyForm extends DialogPart {
  static override watched = [...DialogPart.watched, 'api', 'settings', 'record', 'draft', 'flaws']
  declare api: Api
  declare settings: ConsoleSettings
  /** The key to edit; `undefined` for a new one. */
  declare record: KeyRecord | undefined
  declare etag: string | undefined
  declare onMade: (made: Made) => void
  declare onSaved: (record: KeyRecord) => void
  /** Somebody else has changed the key: gives this the key as it is now. */
  declare onStale: () => Promise<Answer<Shown> | undefined>
  declare private draft: Draft | undefined
  declare private flaws: Readonly<Record<string, string>>
  /** One for all attempts of this form: a lost answer makes no second key. */
  private readonly idempotencyKey = crypto.getRandomValues(new Uint32Array(4)).join('-')
  /** When it was first sent: what is sent again under the same key has to be the same. */
  private begun: number | undefined

  constructor() {
    super()
    this.flaws = {}
  }

  /** What was typed stays, over the key as it is now: whoever saves again has seen that. */
  protected override willUpdate(changed: ReadonlyMap<string, unknown>): void {
    const { draft, settings, record } = this
    const before = changed.get('record') as KeyRecord | undefined
    if (before && draft) this.draft = rebased(draft, draftOf(before, settings), draftOf(record, settings))
  }

  protected override look(): string {
    return ['scopes', 'limits', 'allowedIps'].some((field) => offers(this.settings, field)) ? 'wide' : ''
  }

  protected override heading(): string {
    const { record, say } = this
    return record === undefined ? say('createTitle') : say('editTitle', { name: record.name ?? record.display })
  }

  protected override body() {
    const { say, settings, record } = this
    const draft = this.draft ?? draftOf(record, settings)
    const change = (part: Partial<Draft>) => this.change({ ...draft, ...part })
    const held = record?.scopes ?? []
    const form: fields.Form = { draft, settings, say, flaws: this.flaws, isNew: record === undefined, held, change }
    return html`<form novalidate @submit=${this.submit}>
      <div class="dialog-body">
        ${this.problemText()}
        ${fields.nameField(form)}
        ${record === undefined ? fields.environmentField(form) : ''}
        ${fields.scopesField(form)}
        ${fields.expiryField(form)}
        ${fields.limitsField(form)}
        ${fields.addressesField(form)}
        ${record === undefined ? fields.resourceField(form) : ''}
        ${fields.descriptionField(form)}
      </div>
      <footer class="dialog-foot">
        <button type="button" class="button" @click=${() => this.close()}>${say('cancel')}</button>
        <button type="submit" class="button primary" ?disabled=${this.busy}>${this.submitText()}</button>
      </footer>
    </form>`
  }

  private submitText(): string {
    const { say, busy, record } = this
    if (record === undefined) return say(busy ? 'creating' : 'createSubmit')
    return say(busy ? 'saving' : 'saveChanges')
  }

  /** What was wrong is looked at again as it is mended; what is not yet finished is not found fault with. */
  private change(draft: Draft): void {
    this.draft = draft
    if (Object.keys(this.flaws).length > 0) this.flaws = this.flawsIn(draft)
  }

  private flawsIn(draft: Draft): Readonly<Record<string, string>> {
    return flawsOf(draft, this.settings, this.say, { record: this.record, now: Date.now() })
  }

  private async submit(event: Event): Promise<void> {
    event.preventDefault()
    if (this.busy) return
    const { settings, record } = this
    const draft = this.draft ?? draftOf(record, settings)
    this.problem = undefined
    this.flaws = this.flawsIn(draft)
    if (Object.keys(this.flaws).length > 0) return this.showFirstFlaw()
    this.busy = true
    if (record === undefined) await this.create(draft)
    else await this.save(draft, record)
    this.busy = false
  }

  private async create(draft: Draft): Promise<void> {
    this.begun ??= Date.now()
    const body = creation(draft, this.settings, this.begun)
    const answer = await this.api.create(body, this.idempotencyKey)
    if (answer.ok) this.onMade(answer.body)
    else await this.refused(answer.problem, body)
  }

  private async save(draft: Draft, record: KeyRecord): Promise<void> {
    const patch = changes(draft, record, this.settings, Date.now())
    if (JSON.stringify(patch) === '{}') return this.close()
    const answer = await this.api.update(record.id, patch, this.etag)
    if (answer.ok) return this.onSaved(answer.body.record)
    if (answer.problem.status !== 412) return this.refused(answer.problem, patch)
    const now = await this.onStale()
    this.problem = explain(now?.ok === false ? now.problem : answer.problem, this.say)
  }

  private async refused(problem: Problem, sent: object): Promise<void> {
    this.flaws = serviceFlaws(problem, sent, this.say)
    const named = problem.code === 'conflict' && 'name' in this.flaws
    if (named) this.flaws = { name: this.say('problemConflict') }
    this.problem = named ? undefined : explain(problem, this.say)
    await this.showFirstFlaw()
  }

  private async showFirstFlaw(): Promise<void> {
    await this.updateComplete
    const flawed = this.querySelector('.flaw')?.closest('.field')
    flawed?.querySelector<HTMLElement>('input, textarea, select')?.focus()
  }
}

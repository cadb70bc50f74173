import { html } from 'lit/html.js'
import type { KeyRecord } from '../../model/key.ts'
import type { ConsoleSettings } from '../settings.ts'
import type { Answer, Api, Made, Shown } from './api.ts'
import type { Question } from './confirm.ts'
import type { Credential } from './snippets.ts'
import type { Scene } from './stage.ts'
import type { Say, TextName } from './texts.ts'

/** Which dialog is open. The text of a key is in here and nowhere else, until it closes. */
export type Open =
  | { readonly kind: 'create' }
  | ({ readonly kind: 'edit' } & Seen)
  | Told
  | ({ readonly kind: Question } & Seen)

export interface Told {
  readonly kind: 'told'
  readonly made: Made
  readonly isRotated: boolean
}

/** A key as it was read, with the tag of that reading where there was one. */
export interface Seen {
  readonly record: KeyRecord
  readonly etag?: string | undefined
}

export interface DialogContext {
  readonly say: Say
  readonly api: Api
  readonly settings: ConsoleSettings
  /** Keeps a key in this browser; absent where that is not offered. */
  readonly keep: ((credential: Credential) => boolean) | undefined
  tell(made: Made, isRotated: boolean): void
  /** @param told what has happened */
  close(told?: TextName): void
  /** The list has a key more or less. */
  reload(): void
  replace(record: KeyRecord): void
  /** Somebody else has changed the key: shows it as it is now. */
  stale(kind: 'edit' | 'rotate', record: KeyRecord): Promise<Answer<Shown> | undefined>
}

/** Each dialog is an element of its own, also after one of its kind: in a list and out of one lit takes none for another. */
export function openDialog({ open, turn }: Scene, context: DialogContext) {
  const drawn = dialogOf(open, context)
  return turn % 2 === 0 ? drawn : [drawn]
}

function dialogOf(open: Open, context: DialogContext) {
  if (open.kind === 'create' || open.kind === 'edit') return form(open, context)
  if (open.kind === 'told') return told(open, context)
  return question(open, context)
}

function form(open: Extract<Open, { kind: 'create' | 'edit' }>, context: DialogContext) {
  const { say, api, settings, close, tell, reload, replace, stale } = context
  const { record = undefined, etag = undefined } = open.kind === 'edit' ? open : {}
  const onMade = (made: Made) => {
    tell(made, false)
    reload()
  }
  const onSaved = (saved: KeyRecord) => {
    replace(saved)
    close('wasSaved')
  }
  return html`<keyward-key-form .say=${say} .api=${api} .settings=${settings} .record=${record} .etag=${etag}
    .onClose=${() => close()} .onMade=${onMade} .onSaved=${onSaved} .onStale=${async () => record && stale('edit', record)}></keyward-key-form>`
}

function told({ made, isRotated }: Told, { say, settings, keep, close }: DialogContext) {
  return html`<keyward-told-key .say=${say} .settings=${settings} .made=${made} .isRotated=${isRotated} .onKeep=${keep}
    .onClose=${() => close()}></keyward-told-key>`
}

function question({ kind, record, etag }: Extract<Open, { kind: Question }>, context: DialogContext) {
  const { say, api, close, tell, reload, replace, stale } = context
  const onRotated = (made: Made) => {
    replace(made.record)
    tell(made, true)
  }
  const onRevoked = (revoked: KeyRecord) => {
    replace(revoked)
    close('wasRevoked')
  }
  const onRemoved = () => {
    reload()
    close('wasRemoved')
  }
  return html`<keyward-confirm .say=${say} .api=${api} .record=${record} .question=${kind} .etag=${etag} .onClose=${() => close()}
    .onRotated=${onRotated} .onRevoked=${onRevoked} .onRemoved=${onRemoved} .onStale=${() => stale('rotate', record)}></keyward-confirm>`
}

import type { DenialCode, Denied } from './verdict.ts'

/** What goes on the wire for a refusal. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What differs from the answer as Keyward gives it; what is left out stays. */
export interface AnswerChange {
  /** HTTP status, 400 to 599. */
  readonly status?: number
  /** The short text of the problem document. */
  readonly title?: string
  /** The sentence of the problem document, which is `error.message`, too. */
  readonly detail?: string
}

/** Changes by code, or a function that is given every answer and gives the one to send. */
export type AnswerOverrides =
  | { readonly [code in DenialCode]?: AnswerChange }
  | ((denial: Denied, answer: Answer) => Answer)

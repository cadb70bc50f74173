/** A refusal of the routes, or that they could not be reached. */
export interface Problem {
  /** 0 where there was no answer at all. */
  readonly status: number
  readonly code: string
  readonly detail: string
  /** What is wrong, by field. */
  readonly issues: readonly { readonly path: string; readonly message: string }[]
  readonly outcome?: 'unknown' | undefined
}
